"""A singer: draws a voice, and turns notes with syllables into what lips, tongue and throat do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .lyrics import Sung, Syllable
from .phonemes import Phoneme, consonant, vowel
from .vocal_tract import FRAME_S, Controls, Tract, speak


class Range(NamedTuple):
    """A kind of voice: MIDI pitches it sings, and its size (see `Tract`)."""

    low: int
    high: int
    size: float


RANGES = {
    "bass": Range(41, 60, 0.94),
    "baritone": Range(45, 65, 0.98),
    "tenor": Range(48, 69, 1.04),
    "alto": Range(53, 74, 1.13),
    "soprano": Range(58, 80, 1.19),
    "child": Range(60, 80, 1.34),
}
# Consonants may take this share of the note before.
_MAX_BORROWED = 0.45
_LEVEL = np.float32(0.1)
_REST_S = 0.12
_INHALED_S = 0.3
_SMOOTH_S = {"formants": 0.022, "voicing": 0.012, "noise": 0.005, "nasal": 0.009}


class SungNote(NamedTuple):
    """A note to sing: seconds, MIDI pitch (may be between keys), velocity 1..127, and its words."""

    start_s: float
    end_s: float
    pitch: float
    velocity: int
    sung: Sung


@dataclass(frozen=True)
class Singer:
    """One of many voices.

    `breath` 0 clear to 1 whispered; `press` 0 soft to 1 belted; vibrato in semitones and Hz, with
    the seconds until it begins; `glide_s` how long the way from note to note takes; `scoop` how
    many semitones under a note a phrase begins; `unsteady` semitones of slow wandering; `diction`
    how long consonants are, 1 as spoken; `audible_air` how often one hears a breath drawn.
    """

    kind: str
    tract: Tract
    breath: float
    press: float
    vibrato: float
    vibrato_hz: float
    vibrato_after_s: float
    glide_s: float
    scoop: float
    unsteady: float
    diction: float
    audible_air: float

    @property
    def range(self) -> Range:
        """The pitches of this kind of voice."""
        return RANGES[self.kind]


def draw_singer(rng: np.random.Generator, kind: str | None = None) -> Singer:
    """Draw a voice: breathy to pressed, trained or plain, of any kind unless told."""
    if kind is None:
        kind = str(rng.choice(list(RANGES)))
    trained = rng.random() < 0.3
    return Singer(
        kind=kind,
        tract=Tract(
            size=RANGES[kind].size * float(rng.uniform(0.95, 1.05)),
            damping=float(rng.uniform(0.8, 1.5)),
            ring_db=float(rng.uniform(5, 12)) if trained else float(rng.uniform(0, 4)),
        ),
        breath=float(rng.beta(1.3, 3.5)),
        press=float(rng.uniform(0, 1)),
        vibrato=float(rng.uniform(0.4, 1.0)) if trained else float(rng.uniform(0.0, 0.45)),
        vibrato_hz=float(rng.uniform(4.6, 6.6)),
        vibrato_after_s=float(rng.uniform(0.05, 0.45)),
        glide_s=float(rng.uniform(0.03, 0.09)),
        scoop=float(rng.choice((0.0, rng.uniform(0.3, 2.0)))),
        unsteady=float(rng.uniform(0.03, 0.2)),
        diction=float(rng.uniform(0.6, 1.25)),
        audible_air=float(rng.uniform(0, 0.9)),
    )


class _Segment(NamedTuple):
    start_s: float
    end_s: float
    phoneme: Phoneme
    note: int


def sing(
    notes: Sequence[SungNote],
    singer: Singer,
    duration_s: float,
    rng: np.random.Generator,
    sample_rate: int,
) -> np.ndarray:
    """Sing notes, one at a time.

    Args:
        notes: In order; where two overlap the second cuts the first short.
        singer: Who sings.
        duration_s: Length of the result.
        rng: Source of noise and small irregularities.
        sample_rate: In Hz.

    Returns:
        Mono float32 (n_samples,), -20 dB RMS on average where it is voiced.
    """
    n = round(duration_s * sample_rate)
    if not notes:
        return np.zeros(n, np.float32)
    segments = _segments(notes, duration_s, singer.diction)
    controls = _controls(notes, segments, singer, duration_s, rng)
    return _LEVEL * speak(controls, singer.tract, n, rng, sample_rate)


def _segments(notes: Sequence[SungNote], duration_s: float, diction: float) -> list[_Segment]:
    """Lay the phonemes out in time: vowels on the notes, consonants before and after them."""
    segments: list[_Segment] = []
    last: Syllable | None = None
    starts = [note.start_s for note in notes] + [duration_s + 1.0]
    free_s = 0.0
    for i, note in enumerate(notes):
        syllable, held = note.sung.syllable, note.sung.syllable is None
        syllable = syllable or last or Syllable((), "AA", ())
        last = syllable
        onset = () if held else tuple(p for c in syllable.onset for p in consonant(c))
        onset_s = sum(p.length_s for p in onset) * diction
        room_s = max(0.0, note.start_s - free_s)
        squeeze = min(1.0, room_s / onset_s) if onset_s else 1.0
        at = note.start_s - onset_s * squeeze
        for phoneme in onset:
            length_s = phoneme.length_s * diction * squeeze
            segments.append(_Segment(at, at + length_s, phoneme, i))
            at += length_s
        # How far this note may sound, and what of it belongs to the next one's consonants.
        follows = i + 1 < len(notes) and notes[i + 1].sung.syllable is None
        nearby = starts[i + 1] - note.end_s < _REST_S
        end_s = starts[i + 1] if nearby and i + 1 < len(notes) else min(note.end_s, starts[i + 1])
        length_s = max(0.03, end_s - note.start_s)
        coda = () if follows else tuple(p for c in syllable.coda for p in consonant(c))
        coda_s = sum(p.length_s for p in coda) * diction
        ahead = notes[i + 1].sung.syllable if i + 1 < len(notes) else None
        ahead_s = 0.0
        if ahead and nearby:
            ahead_s = sum(p.length_s for c in ahead.onset for p in consonant(c)) * diction
        if coda_s + ahead_s > _MAX_BORROWED * length_s:
            squeeze = _MAX_BORROWED * length_s / (coda_s + ahead_s)
            coda_s, ahead_s = coda_s * squeeze, ahead_s * squeeze
        vowel_end = note.start_s + length_s - coda_s - ahead_s
        targets = vowel(syllable.vowel)
        # The second half of a diphthong comes late.
        turn = vowel_end if len(targets) == 1 else vowel_end - min(0.16, 0.4 * length_s)
        if follows:
            turn = vowel_end
        segments.append(_Segment(note.start_s, turn, targets[0], i))
        if turn < vowel_end:
            segments.append(_Segment(turn, vowel_end, targets[-1], i))
        at = vowel_end
        whole_s = sum(p.length_s for p in coda)
        for phoneme in coda:
            share_s = coda_s * phoneme.length_s / whole_s
            segments.append(_Segment(at, at + share_s, phoneme, i))
            at += share_s
        free_s = at
    return segments


def _controls(
    notes: Sequence[SungNote],
    segments: list[_Segment],
    singer: Singer,
    duration_s: float,
    rng: np.random.Generator,
) -> Controls:
    """Move from target to target as smoothly as flesh does."""
    n = int(duration_s / FRAME_S) + 2
    voicing, aspiration, frication, nasal = np.zeros((4, n))
    formants = np.full((n, 3), np.nan)
    band = np.full((n, 2), (1000.0, 6000.0))
    pitch, since_s, force = np.full(n, np.nan), np.zeros(n), np.full(n, np.nan)
    began, phrase_end = -1, -1.0
    for segment in segments:
        first = max(0, round(segment.start_s / FRAME_S))
        last = min(n, max(first + 1, round(segment.end_s / FRAME_S)))
        if first >= n:
            break
        p, note, span = segment.phoneme, notes[segment.note], slice(first, last)
        voicing[span], aspiration[span], frication[span] = p.voicing, p.aspiration, p.frication
        nasal[span], band[span] = p.nasal, p.band_hz
        if p.formants_hz is not None:
            formants[span] = np.array(p.formants_hz) * singer.tract.size
        if segment.note != began:
            if segment.start_s - phrase_end > _REST_S:
                if segment.start_s - phrase_end > _INHALED_S and rng.random() < singer.audible_air:
                    # A breath is heard before the phrase.
                    air = slice(max(0, first - round(_INHALED_S / FRAME_S)), max(0, first - 8))
                    aspiration[air] = rng.uniform(0.08, 0.3)
                    force[air] = 0.79
                pitch[first] = note.pitch - singer.scoop
                pitch[first + 1 : first + 2 + round(0.05 / FRAME_S)] = note.pitch - singer.scoop / 2
                span = slice(min(n, first + 2 + round(0.05 / FRAME_S)), last)
            began = segment.note
        pitch[span], force[slice(first, last)] = note.pitch, note.velocity / 127
        since_s[first:last] = np.maximum(0, np.arange(first, last) * FRAME_S - note.start_s)
        phrase_end = segment.end_s
    pitch, force = _carried(pitch), _carried(force)
    smooth = {name: s / FRAME_S for name, s in _SMOOTH_S.items()}
    for column in formants.T:
        column[:] = gaussian_filter1d(_carried(column), smooth["formants"])
    pitch = gaussian_filter1d(pitch, singer.glide_s / FRAME_S / 2)
    swell = np.clip((since_s - singer.vibrato_after_s) / 0.3, 0, 1)
    rate = singer.vibrato_hz * (1 + 0.04 * _wander(n, 0.5, rng))
    wave = np.sin(2 * np.pi * np.cumsum(rate) * FRAME_S + rng.uniform(0, 6.28))
    pitch = pitch + singer.vibrato / 2 * swell * wave
    pitch += singer.unsteady * _wander(n, 0.15, rng) + 0.04 * _wander(n, 0.012, rng)
    # High notes need a first formant above them, or the voice would lose its fundamental.
    hz = 440 * 2 ** ((pitch - 69) / 12)
    formants[:, 0] = np.maximum(formants[:, 0], 1.05 * hz)
    formants[:, 1] = np.maximum(formants[:, 1], formants[:, 0] + 200)
    voicing = gaussian_filter1d(voicing, smooth["voicing"])
    effort = np.clip(0.15 + 0.7 * singer.press + 0.5 * (force - 0.7), 0, 1)
    loud = 10 ** (22 * (force - 0.79) / 20) * (1 + 0.12 * swell * np.roll(wave, 8))
    loud *= 1 + 0.08 * _wander(n, 0.1, rng)
    clear = 1 - 0.85 * singer.breath
    breath = voicing * (0.03 + 1.1 * singer.breath)
    return Controls(
        pitch=pitch,
        voicing=voicing * clear * loud,
        aspiration=gaussian_filter1d(aspiration, smooth["noise"]) * loud + breath * loud,
        frication=gaussian_filter1d(frication, smooth["noise"]) * loud,
        tilt=1.9 - 1.2 * effort + 0.2 * singer.breath,
        formants_hz=formants,
        nasal=gaussian_filter1d(nasal, smooth["nasal"]),
        band_hz=band * min(1.1, singer.tract.size),
    )


def _carried(values: np.ndarray) -> np.ndarray:
    """Fill what is unknown with what came last, or at the beginning with what comes first."""
    known = np.flatnonzero(~np.isnan(values))
    place = np.searchsorted(known, np.arange(len(values)), side="right") - 1
    return values[known[np.maximum(place, 0)]]


def _wander(n: int, period_s: float, rng: np.random.Generator) -> np.ndarray:
    """Slow noise of unit deviation."""
    noise = gaussian_filter1d(rng.standard_normal(n), max(0.5, period_s / FRAME_S / 2))
    return noise / (np.std(noise) + 1e-9)
