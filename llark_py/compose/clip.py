"""Annotated clips and songs: composes, plays and records them, and writes down every fact."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from llark_py.audio import Audio
from llark_py.track import Chord, DrumHit, Instrument, Note, Source, Track, crop

from .alone import leave_alone
from .drums import PIECES
from .instruments import family_of
from .mood import mood_of, notes_per_second
from .recolour import render_recoloured
from .render import SAMPLE_RATE, render, render_stems
from .room import augment as record
from .room import set_peak
from .score import WHOLE_S, Score, compose
from .score_parts import Part
from .soundfonts import DEFAULT
from .sounds import NOT_MUSIC, make_sound
from .vocals import sung_words

__all__ = ["NOT_MUSIC", "make_clip", "make_song", "make_stems", "score_track"]

_SOURCES = {"*": Source("composer", 1.0)}
_P_CROPPED = 0.75
_MAX_OFFSET_S = 2.4
_DRY_PEAK = 0.8
_FADE_DB = -30.0
# Pauses shorter than this do not end an instrument's activity.
_PAUSE_S = 0.5
_DRUM_HIT_S = 0.25
_MIN_SOUNDING_S = 0.3


def make_clip(
    seed: int,
    duration_s: float = 10.0,
    soundfont: str | Path = DEFAULT,
    augment: bool = True,
    *,
    style: str | None = None,
    free_instruments: bool | None = None,
    sound: str = "music",
    sung: bool | None = None,
    recoloured: bool = False,
    alone: bool = False,
    sample_rate: int = SAMPLE_RATE,
) -> tuple[Track, Audio]:
    """Make a clip of composed music, or of a sound that is not music, with its facts.

    Args:
        seed: The same seed and arguments always give the same clip.
        duration_s: Length in seconds.
        soundfont: A name of `soundfonts.SOUNDFONTS`, a path, or a blend such as `fluid~+synth`.
        augment: Play it in a random room through random equipment.
        style: One of `styles.STYLES`; drawn when None.
        free_instruments: Draw the instruments independently of the style; drawn when None.
        sound: `music`, or one of `sounds.SOUNDS`.
        sung: Whether a singer has the melody (facts then hold the words); drawn when None.
        recoloured: Give every part a timbre of its own (`recolour.recolour`).
        alone: Leave one player alone (`alone.leave_alone`).
        sample_rate: In Hz.

    Returns:
        The facts (times from the start of the clip) and the mono audio.
    """
    noise_rng = np.random.default_rng(seed)
    if sound != "music":
        samples = make_sound(sound, duration_s, noise_rng, sample_rate)
        track = Track(id=f"{sound}-{seed}", duration_s=duration_s, sound=sound, sources=_SOURCES)
        return track, Audio(samples, sample_rate)
    score, offset_s = _draw_piece(seed, duration_s, style, free_instruments, sung)
    if alone:
        score = leave_alone(score)
    play = render_recoloured if recoloured else render
    audio = play(score, soundfont, sample_rate=sample_rate)
    samples = _cut(audio, score, offset_s, duration_s)
    if augment:
        samples = record(samples, noise_rng, sample_rate)
    else:
        samples = set_peak(samples, _DRY_PEAK)
    return score_track(score, offset_s, duration_s), Audio(samples, sample_rate)


def make_song(
    seed: int,
    duration_s: float = 150.0,
    soundfont: str | Path = DEFAULT,
    augment: bool = True,
    *,
    style: str | None = None,
    free_instruments: bool | None = None,
    sung: bool | None = None,
    sample_rate: int = SAMPLE_RATE,
) -> tuple[Track, Audio]:
    """Make a whole song, from its first note until the last has died away.

    Args:
        seed: The same seed and arguments always give the same song.
        duration_s: Length in seconds; the tempo gives way a little so that the sections fill it.
            Under about a minute a form has hardly room.
        soundfont: As in `make_clip`.
        augment: As in `make_clip`.
        style: As in `make_clip`.
        free_instruments: As in `make_clip`.
        sung: As in `make_clip`; a singer rests in intros, solos and breaks.
        sample_rate: In Hz.

    Returns:
        The facts, whose sections cover the song, and the mono audio.
    """
    score, _ = _draw_piece(seed, duration_s, style, free_instruments, sung, whole=True)
    audio = render(score, soundfont, sample_rate=sample_rate)
    samples = _cut(audio, score, 0.0, duration_s)
    if augment:
        samples = record(samples, np.random.default_rng(seed), sample_rate)
    else:
        samples = set_peak(samples, _DRY_PEAK)
    return score_track(score), Audio(samples, sample_rate)


def make_stems(
    seed: int,
    duration_s: float = 10.0,
    soundfont: str | Path = DEFAULT,
    *,
    style: str | None = None,
    free_instruments: bool | None = None,
    sung: bool | None = None,
    whole: bool = False,
    sample_rate: int = SAMPLE_RATE,
) -> dict[str, Audio]:
    """Make the stems of a clip or song of composed music: what each instrument plays.

    Args:
        seed, duration_s, soundfont, style, free_instruments, sung, sample_rate: As in `make_clip`.
        whole: The stems of `make_song`.

    Returns:
        Instrument -> mono audio. The sum of all is the audio of `make_clip` (`make_song`) with
        the same arguments and without `augment`, up to the rounding of float32.
    """
    choices = (style, free_instruments, sung)
    score, offset_s = _draw_piece(seed, duration_s, *choices, whole=whole)
    played = render_stems(score, soundfont, sample_rate=sample_rate)
    stems = {name: _cut(audio, score, offset_s, duration_s) for name, audio in played.items()}
    # The gain that brings the mix to its peak.
    highest = float(np.abs(np.sum(list(stems.values()), axis=0)).max())
    gain = np.float32(_DRY_PEAK / highest if highest > 1e-7 else 1.0)
    return {name: Audio(samples * gain, sample_rate) for name, samples in stems.items()}


def _draw_piece(
    seed: int,
    duration_s: float,
    style: str | None,
    free_instruments: bool | None,
    sung: bool | None,
    *,
    whole: bool = False,
) -> tuple[Score, float]:
    """Compose a song, or what an excerpt is cut from; returns it and where the excerpt begins."""
    # A stream of its own, so that the excerpt does not depend on how the piece was drawn.
    rng = random.Random(f"excerpt {seed}")
    cropped = rng.random() < _P_CROPPED and duration_s < WHOLE_S and not whole
    offset_s = rng.uniform(0.0, _MAX_OFFSET_S) if cropped else 0.0
    score = compose(
        seed,
        offset_s + duration_s,
        style=style,
        free_instruments=free_instruments,
        sung=sung,
        whole=whole or None,
    )
    return score, offset_s


def _cut(audio: Audio, score: Score, offset_s: float, duration_s: float) -> np.ndarray:
    """Fade out what was played where the score ends so, and cut out an excerpt."""
    samples, rate = audio.samples, audio.sample_rate
    if score.fade_s:
        n = min(len(samples), round(score.fade_s * rate))
        fall = 10 ** np.linspace(0.0, _FADE_DB / 20, n, dtype=np.float32)
        samples = samples.copy()
        samples[-n:] *= fall * np.linspace(1.0, 0.0, n, dtype=np.float32) ** 0.5
    start = round(offset_s * rate)
    return samples[start : start + round(duration_s * rate)]


def score_track(score: Score, start_s: float = 0.0, duration_s: float | None = None) -> Track:
    """Write down the facts of a score, or of an excerpt of it.

    Args:
        score: The piece.
        start_s: Where the excerpt begins.
        duration_s: How long the excerpt is; to the end when None.

    Returns:
        The facts, with times from the start of the excerpt. An instrument is listed when it
        sounds for at least 0.3 s.
    """
    if duration_s is None:
        duration_s = score.duration_s - start_s
    whole = Track(
        id=f"composed-{score.seed}",
        duration_s=score.duration_s,
        tempo_bpm=score.tempo_bpm,
        time_signature=score.time_signature,
        key=score.key if score.keys else None,
        keys=score.keys,
        feel=score.feel,
        # Where nothing changes there is nothing to hear of the form.
        sections=score.sections if len(score.sections) > 1 else (),
        chords=score.chords,
        beats_s=score.beats_s,
        downbeats_s=score.downbeats_s,
        instruments=_instruments(score.parts),
        lead=score.lead,
        notes=tuple(
            Note(n.start_s, n.end_s, n.pitch, n.velocity, part.instrument)
            for part in score.parts
            if part.instrument != "drums"
            for n in part.notes
        ),
        drums=tuple(
            DrumHit(n.start_s, PIECES[n.pitch], n.velocity)
            for part in score.parts
            if part.instrument == "drums"
            for n in part.notes
        ),
        genre=score.genre,
        words=tuple(word for part in score.parts for word in sung_words(part)),
        sources=_SOURCES,
    )
    track = crop(whole, start_s, start_s + duration_s, _MIN_SOUNDING_S)
    heard = {i.name for i in track.instruments}
    notes = tuple(sorted(n for n in track.notes if n.instrument in heard))
    density = notes_per_second([(n.start_s, n.instrument) for n in notes], duration_s)
    drums = tuple(sorted(track.drums)) if "drums" in heard else ()
    return track.model_copy(
        update={
            "duration_s": duration_s,
            "notes": notes,
            "drums": drums,
            "lyrics": " ".join(word.text for word in track.words) or None,
            "chords": tuple(Chord(*c) for c in track.chords if c[1] - c[0] > 1e-3),
            # Drums alone have no mode, and the rule needs one.
            "mood": mood_of(
                score.genre,
                score.mode,
                score.tempo_bpm,
                score.time_signature,
                density,
                bool(drums),
            )
            if notes
            else None,
        }
    )


def _instruments(parts: tuple[Part, ...]) -> tuple[Instrument, ...]:
    """List who plays, each name once: its main role and the spans in which it sounds."""
    by_name: dict[str, list[Part]] = {}
    for part in parts:
        by_name.setdefault(part.instrument, []).append(part)
    listed = []
    for name, played in by_name.items():
        hit_s = _DRUM_HIT_S if name == "drums" else 0.0
        spans = sorted(
            (n.start_s, max(n.end_s, n.start_s + hit_s)) for p in played for n in p.notes
        )
        roles = [p.role for p in played]
        role = "melody" if "melody" in roles else roles[0]
        listed.append(Instrument(name, family_of(name), role, _merged(spans)))
    return tuple(listed)


def _merged(spans: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Join spans that overlap or are parted by a short pause; `spans` are sorted."""
    merged: list[tuple[float, float]] = []
    for start, end in spans:
        if merged and start - merged[-1][1] < _PAUSE_S:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)
