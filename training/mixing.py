"""Lets another player join a composed clip: windows that nobody had to render.

Who plays is the hardest to hear, and a network that has seen a clip a few times knows it by heart.
Players who have a clip to themselves, or share it with one more, can join any other clip: their
powers add up, and so do the facts about who plays and which pitches. They come in the key of the
clip that they join, since partials that fall together are what makes this hard. All else that the
facts tell of either clip is unknown of both together.
"""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from llark_py.theory import key_index
from llark_py.track import Instrument, Track

from .shards import Shards
from .windows import blur_timbre, draw_view, view_features, view_track

_MOST_JOINING = 2
_GAIN_DB = (-2.0, 4.0)
_NEPER = float(np.log(10) / 20)


class Joiner:
    """Mixes sparse clips of a set into windows of others.

    Args:
        shards: The set.
        share: Of the windows that somebody joins, where they are music.
    """

    def __init__(self, shards: Shards, share: float):
        self.shards, self.share = shards, share
        self._sparse = [
            i
            for i, track in enumerate(shards.tracks)
            if track.sound == "music" and 1 <= len(track.instruments) <= _MOST_JOINING
        ]

    def join(self, features: np.ndarray, tracks: list[Track], rng: random.Random) -> None:
        """Change some windows in place.

        Args:
            features: `(batch, window, 488)` natural logarithms of magnitudes.
            tracks: Their facts.
            rng: Draws who joins whom, and how loud.
        """
        for row, track in enumerate(tracks):
            if rng.random() >= self.share or track.sound != "music" or not self._sparse:
                continue
            index, window = rng.choice(self._sparse), features.shape[1]
            theirs = self.shards.tracks[index]
            whole = self.shards.features(index)
            view = draw_view(len(whole), window, rng)
            view = replace(view, shift=into_key(theirs.key, track.key, view.shift))
            noise = np.random.default_rng(rng.getrandbits(32))
            joining = blur_timbre(view_features(whole, view, window), noise)
            features[row] = add_powers(features[row], joining + rng.gauss(*_GAIN_DB) * _NEPER)
            tracks[row] = together(track, view_track(theirs, view, window))


def into_key(theirs: str | None, ours: str | None, drawn: int) -> int:
    """Choose the semitones, -5 to 6, that bring one tonic to another; as drawn without a key."""
    if theirs is None or ours is None:
        return drawn
    return (key_index(ours) - key_index(theirs) + 5) % 12 - 5


def add_powers(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Mix two sounds, given and returned as natural logarithms of magnitudes."""
    return np.asarray(0.5 * np.logaddexp(2 * first, 2 * second), np.float32)


def together(first: Track, second: Track) -> Track:
    """Tell what is known of two clips that sound at once: who plays, and which notes."""
    players: dict[str, Instrument] = {}
    for player in (*first.instruments, *second.instruments):
        known = players.get(player.name)
        spans = (*known.activity, *player.activity) if known else player.activity
        players[player.name] = player._replace(activity=spans)
    return Track(
        id=f"{first.id}+{second.id}",
        duration_s=first.duration_s,
        instruments=tuple(players.values()),
        notes=_all_known(first, second),
        drums=(*first.drums, *second.drums),
    )


def _all_known(*tracks: Track) -> tuple:
    """The notes of all, or none where somebody has pitches but no notes are known."""
    known = all(t.notes or not set(t.families) - {"drums"} for t in tracks)
    return tuple(note for t in tracks for note in t.notes) if known else ()
