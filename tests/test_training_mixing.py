"""Players of other clips join a window: their sound, and what is known of both."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from llark_py.compose.clip import make_clip
from llark_py.compose.instruments import FAMILIES, INSTRUMENTS
from llark_py.encoders import encoder_config
from llark_py.encoders.mini_features import extract_features, normalise_level
from llark_py.theory import key_index
from llark_py.track import Track
from llark_py.training.labels import IGNORE, batch_labels
from llark_py.training.mixing import Joiner, add_powers, into_key, together

BAND, WINDOW = 42, 60


class Clips:
    """Two clips in memory: a band and one player alone."""

    def __init__(self):
        made = [make_clip(BAND, soundfont="timgm"), make_clip(41, soundfont="timgm", alone=True)]
        self.tracks: list[Track] = [track for track, _ in made]
        self.audio = [audio.samples for _, audio in made]

    def features(self, index: int) -> np.ndarray:
        samples = torch.from_numpy(self.audio[index])[None]
        return extract_features(normalise_level(samples))[0].numpy()


@pytest.fixture(scope="module")
def clips():
    return Clips()


def test_powers_add_up_as_sounds_do(clips):
    one, other = (normalise_level(torch.from_numpy(a)[None]) for a in clips.audio)
    parts = [extract_features(x)[0].numpy() for x in (one, other)]
    true = extract_features(one + other)[0].numpy()
    mixed = add_powers(*parts)
    # Partials of both interfere, so this holds on the whole and not of each column.
    assert np.abs(mixed - true).mean() < 0.15
    assert (mixed >= np.maximum(*parts) - 1e-6).all()


def test_who_plays_is_known_of_both_together_and_little_else(clips):
    band, player = clips.tracks
    assert len(player.instruments) == 1 < len(band.instruments)
    both = together(band, player)
    assert set(both.families) == {*band.families, *player.families}
    assert len({i.name for i in both.instruments}) == len(both.instruments)
    assert len(both.notes) == len(band.notes) + len(player.notes)
    config = encoder_config(
        "mini", families=list(FAMILIES), instruments=list(INSTRUMENTS), parts=True
    )
    labels = batch_labels([both, band], WINDOW, config)
    for head in ("key", "style", "time_signature", "lead", "feel"):
        assert labels[head][0] == IGNORE, head
    assert labels["tempo"][0].isnan() and not labels["tempo"][1].isnan()
    for head in ("chord", "beat", "boundary"):
        assert (labels[head][0] == IGNORE).all(), head
    assert labels["sound"][0] == config.sounds.index("music")
    assert (labels["parts"][0] >= labels["parts"][1]).all()
    # A lead that is not there is known of what was composed, and of nothing else.
    nobody = band.model_copy(update={"lead": None})
    without = nobody.model_copy(update={"sources": {}})
    leads = batch_labels([nobody, without], WINDOW, config)["lead"]
    assert leads.tolist() == [config.labels["lead"].index("none"), IGNORE]


def test_a_player_without_known_notes_leaves_the_notes_unknown(clips):
    band, player = clips.tracks
    silent = player.model_copy(update={"notes": ()})
    assert not together(band, silent).notes


def test_music_is_joined_in_its_own_key_and_the_same_way_again(clips):
    band = clips.tracks[0]
    window = clips.features(0)[None, :WINDOW].copy()
    results = []
    for _ in range(2):
        features, tracks = window.copy(), [band]
        Joiner(clips, 1.0).join(features, tracks, random.Random(3))
        results.append((features, tracks))
    (features, tracks), (again, _) = results
    assert np.array_equal(features, again) and not np.array_equal(features, window)
    assert clips.tracks[1].instruments[0].name in {i.name for i in tracks[0].instruments}
    shift = into_key(clips.tracks[1].key, band.key, 0)
    came = {note.pitch - shift for note in tracks[0].notes[len(band.notes) :]}
    assert came and came <= {note.pitch for note in clips.tracks[1].notes}


@pytest.mark.parametrize("theirs", ["C major", "A minor", "F# minor"])
def test_tonics_are_brought_together(theirs):
    for ours in ("C major", "D minor", "B major"):
        shift = into_key(theirs, ours, 3)
        assert -5 <= shift <= 6 and (key_index(theirs) + shift - key_index(ours)) % 12 == 0
    assert into_key(theirs, None, 3) == into_key(None, theirs, 3) == 3


def test_what_is_no_music_is_left_alone(clips):
    noise = Track(id="noise", duration_s=6.0, sound="noise")
    features, tracks = clips.features(0)[None, :WINDOW].copy(), [noise]
    before = features.copy()
    Joiner(clips, 1.0).join(features, tracks, random.Random(0))
    assert tracks == [noise] and np.array_equal(features, before)
    nobody = [clips.tracks[0]]
    Joiner(clips, 0.0).join(features, nobody, random.Random(0))
    assert nobody == [clips.tracks[0]] and np.array_equal(features, before)
