"""The synthesizer, blends and shifted formants: in tune, audible, like themselves, never alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from llark_py.commands.compose import compose as compose_command
from llark_py.compose.clip import make_clip
from llark_py.compose.drums import PIECES
from llark_py.compose.instruments import FAMILIES, INSTRUMENTS, members, voice
from llark_py.compose.render import render
from llark_py.compose.score import Part, Score, ScoreNote, compose
from llark_py.compose.soundfonts import check_soundfont, split_blend
from llark_py.compose.synthesis import synthesise
from llark_py.errors import UnknownNameError

RATE = 16000
PITCHED = [name for name in INSTRUMENTS if name not in ("drums", "singer")]
SEEDS = range(4)


def score_of(*parts: Part, seed: int = 0, duration_s: float = 2.0, detune: float = 0.0) -> Score:
    """A score of given parts."""
    return Score(
        seed=seed,
        duration_s=duration_s,
        style="ambient",
        genre=None,
        tempo_bpm=60.0,
        time_signature="4/4",
        tonic=0,
        mode="major",
        chords=(),
        beats_s=(),
        downbeats_s=(),
        parts=parts,
        lead=None,
        detune_semitones=detune,
    )


def part_of(instrument: str, *notes: ScoreNote) -> Part:
    """A part at full volume."""
    return Part(instrument, "melody", voice(instrument).programs[0], 127, 64, notes)


def one_note(instrument: str, pitch: int | None = None, velocity: int = 95, **score) -> Score:
    """A score of a note of 1.2 s, in the middle of the instrument's register unless told."""
    if pitch is None:
        pitch = (voice(instrument).low + voice(instrument).high) // 2
    return score_of(part_of(instrument, ScoreNote(0.1, 1.3, pitch, velocity)), **score)


def tone(instrument: str, seed: int = 0, pitch: int | None = None, **score) -> np.ndarray:
    """A note played by the synthesizer."""
    return synthesise(one_note(instrument, pitch, seed=seed, **score), RATE)


def cents_off(samples: np.ndarray, pitch: float, start_s: float = 0.2, end_s: float = 1.2) -> float:
    """How far the series of harmonics that is strongest lies from a pitch, octaves folded."""
    x = samples[round(start_s * RATE) : round(end_s * RATE)]
    size = 1 << 17
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)), size))
    floor = 1e-3 * spectrum.max()
    candidates = np.arange(pitch - 6, pitch + 6, 0.02)
    hz = 440 * 2 ** ((candidates - 69) / 12)[:, None] * np.arange(1, 6)
    heard = np.round(np.minimum(hz, RATE / 2) * size / RATE).astype(int)
    score = np.log(spectrum[heard] + floor).sum(axis=1)
    return 100 * float(candidates[int(np.argmax(score))] - pitch)


def level_db(samples: np.ndarray, start_s: float, end_s: float) -> float:
    """Level of a stretch in dB."""
    part = samples[round(start_s * RATE) : round(end_s * RATE)]
    return float(10 * np.log10(np.mean(np.square(part)) + 1e-12))


def centroid_hz(samples: np.ndarray) -> float:
    """Centre of the spectrum of the first second and a half."""
    x = samples[: 3 * RATE // 2]
    power = np.abs(np.fft.rfft(x * np.hanning(len(x)))) ** 2
    return float(np.sum(power * np.fft.rfftfreq(len(x), 1 / RATE)) / np.sum(power))


# --- the synthesizer ------------------------------------------------------------------------


@pytest.mark.parametrize("instrument", PITCHED)
def test_every_instrument_sounds_at_its_pitch(instrument: str) -> None:
    v = voice(instrument)
    for seed, share in enumerate((0.3, 0.5, 0.7)):
        pitch = round(v.low + share * (v.high - v.low))
        samples = tone(instrument, seed, pitch, detune=0.2)
        assert np.isfinite(samples).all() and samples.dtype == np.float32
        end_s = 0.35 if v.decays else 1.2
        assert cents_off(samples, pitch + 0.2, 0.1, end_s) == pytest.approx(0, abs=30)
        assert level_db(samples, 0.1, 0.5) > -50 > -75 > level_db(samples, 0.0, 0.09)


@pytest.mark.parametrize("key", PIECES)
def test_every_drum_is_heard_where_it_is_struck(key: int) -> None:
    samples = synthesise(score_of(part_of("drums", ScoreNote(0.5, 0.7, key, 100))), RATE)
    assert np.isfinite(samples).all()
    assert not samples[: RATE // 2 - 1].any()
    assert level_db(samples, 0.5, 0.6) > -60
    assert level_db(samples, 0.5, 0.6) > level_db(samples, 1.8, 2.0) + 6


def test_drums_lie_where_drums_do() -> None:
    hz = {
        PIECES[key]: np.mean(
            [
                centroid_hz(
                    synthesise(
                        score_of(part_of("drums", ScoreNote(0.1, 0.3, key, 100)), seed=s), RATE
                    )
                )
                for s in SEEDS
            ]
        )
        for key in (36, 45, 50, 38, 42, 49)
    }
    assert hz["kick"] < hz["low tom"] < hz["high tom"] < hz["snare"] < hz["closed hi-hat"]
    assert hz["crash cymbal"] > 2500


def test_the_same_seed_plays_the_same_and_another_does_not() -> None:
    for instrument in (*PITCHED, "drums"):
        if instrument == "drums":
            scores = [
                score_of(part_of("drums", ScoreNote(0, 1, 38, 90)), seed=s) for s in (1, 1, 2)
            ]
        else:
            scores = [one_note(instrument, seed=s) for s in (1, 1, 2)]
        first, again, other = (synthesise(score, RATE) for score in scores)
        assert first.tobytes() == again.tobytes()
        bands = [
            np.log(np.add.reduceat(np.abs(np.fft.rfft(x)), np.geomspace(40, 12000, 24).astype(int)))
            for x in (first, other)
        ]
        assert np.std(bands[0] - bands[1]) > 0.1, instrument


def test_all_instruments_are_about_as_loud() -> None:
    """The loudest quarter second of a note at velocity 85 is near the level of soundfonts."""
    for family in FAMILIES:
        if family in ("drums", "voice"):
            continue
        for instrument in members(family):
            samples = synthesise(one_note(instrument, velocity=85), RATE)
            powers = [level_db(samples, t, t + 0.25) for t in np.arange(0.1, 1.2, 0.05)]
            assert max(powers) == pytest.approx(-33, abs=6), instrument


def test_louder_notes_are_louder_and_brass_is_brighter() -> None:
    for instrument in ("piano", "trumpet", "violin", "clarinet"):
        soft, loud = (synthesise(one_note(instrument, velocity=v, seed=3), RATE) for v in (40, 120))
        assert level_db(loud, 0.1, 1.2) > level_db(soft, 0.1, 1.2) + 3
    soft, loud = (synthesise(one_note("trumpet", velocity=v, seed=3), RATE) for v in (40, 120))
    assert centroid_hz(loud) > 1.2 * centroid_hz(soft)


def test_struck_sounds_die_away_and_held_ones_do_not() -> None:
    def fall_db(instrument: str) -> float:
        falls = []
        for seed in SEEDS:
            samples = tone(instrument, seed, 60 if voice(instrument).low < 60 else 72)
            falls.append(level_db(samples, 0.15, 0.35) - level_db(samples, 1.05, 1.25))
        return float(np.median(falls))

    for instrument in ("piano", "nylon guitar", "marimba", "xylophone", "pizzicato strings"):
        assert fall_db(instrument) > 6, instrument
    for instrument in ("organ", "violin", "trumpet", "flute", "synth lead", "choir", "accordion"):
        assert fall_db(instrument) < 5, instrument


def test_timbres_are_what_players_know() -> None:
    def harmonics(instrument: str, pitch: int, seed: int) -> np.ndarray:
        x = tone(instrument, seed, pitch)[RATE // 4 : RATE]
        spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)), 1 << 17))
        centre = 440 * 2 ** ((pitch - 69) / 12) * np.arange(1, 7) * (1 << 17) / RATE
        return np.array([spectrum[int(c * 0.97) : int(c * 1.03)].max() for c in centre])

    for seed in SEEDS:
        one, two, three, *_ = harmonics("clarinet", 58, seed)
        assert two < 0.3 * min(one, three)
        assert centroid_hz(tone("trumpet", seed, 72)) > 1.3 * centroid_hz(tone("flute", seed, 72))
        oboe = harmonics("oboe", 62, seed)
        assert oboe[1:5].max() > oboe[0]
        assert centroid_hz(tone("jazz guitar", seed, 57)) < centroid_hz(
            tone("distorted guitar", seed, 57)
        )


# --- blends and formants --------------------------------------------------------------------


def test_names_of_blends_are_read_and_checked(tmp_path: Path) -> None:
    assert split_blend("fluid~+synth") == (("fluid", True), ("synth", False))
    odd = tmp_path / "a+b~"
    odd.write_bytes(b"")
    assert split_blend(odd) == ((str(odd), False),)
    for name in ("synth", "timgm", "timgm~+synth~"):
        check_soundfont(name)
    for name in ("timgm+snyth", "synth+", "timgn~"):
        with pytest.raises(UnknownNameError, match="no soundfont"):
            check_soundfont(name)


def test_a_blend_is_the_sum_of_parts_played_by_either() -> None:
    notes = ScoreNote(0.1, 1.3, 60, 100)
    parts = [part_of(name, notes) for name in ("flute", "organ", "trumpet", "choir")]
    score = score_of(*parts)
    blended = render(score, "timgm+synth")
    fields = vars(score)
    played = []
    for choice in range(2 ** len(parts)):
        chosen = [p for i, p in enumerate(parts) if choice >> i & 1]
        others = [p for i, p in enumerate(parts) if not choice >> i & 1]
        total = np.zeros(2 * RATE, np.float32)
        for some, font in ((chosen, "timgm"), (others, "synth")):
            if some:
                total += render(Score(**{**fields, "parts": tuple(some)}), font).samples
        played.append(np.allclose(total, blended.samples, atol=1e-6))
    assert sum(played) == 1


def test_blends_mix_sources_by_seed() -> None:
    assert any(
        not np.array_equal(render(s, "timgm+synth").samples, render(s, font).samples)
        for s in (compose(seed, 2.0) for seed in range(3))
        for font in ("timgm", "synth")
    )
    first, again = (make_clip(7, 3.0, "timgm~+synth") for _ in range(2))
    assert first[1].samples.tobytes() == again[1].samples.tobytes()
    assert first[0] == make_clip(7, 3.0)[0]


@pytest.mark.parametrize("soundfont", ["timgm", "synth"])
def test_shifted_formants_keep_pitch_and_move_the_spectrum(soundfont: str) -> None:
    hz = []
    for shift in (-4.0, 0.0, 4.0):
        samples = render(one_note("trumpet", 68), soundfont, formant_shift=shift).samples
        assert len(samples) == 2 * RATE
        assert cents_off(samples, 68) == pytest.approx(0, abs=20)
        hz.append(centroid_hz(samples))
    assert hz[0] < 0.95 * hz[1] < hz[1] < 0.95 * hz[2]


@pytest.mark.parametrize("soundfont", ["timgm", "synth"])
@pytest.mark.parametrize("shift", [-3.3, 2.6])
def test_shifted_formants_keep_the_times(soundfont: str, shift: float) -> None:
    starts = (0.2, 0.75, 1.4)
    strokes = [ScoreNote(t, t + 0.2, 42, 100) for t in starts]
    notes = [ScoreNote(t, t + 0.2, 60, 100) for t in starts]
    for part in (part_of("drums", *strokes), part_of("marimba", *notes)):
        samples = render(score_of(part), soundfont, formant_shift=shift).samples
        for start in starts:
            around = samples[round((start - 0.05) * RATE) : round((start + 0.05) * RATE)]
            rise = np.argmax(np.abs(around) > 0.2 * np.abs(around).max()) / RATE - 0.05
            assert abs(rise) < 0.02


def test_soundfonts_without_a_suffix_play_as_they_always_have() -> None:
    """Levels of quarter seconds of three parts; to record them again print `levels`."""
    beats = [ScoreNote(0.5 * i, 0.5 * i + 0.4, 60 + 2 * i, 90) for i in range(4)]
    hits = [ScoreNote(0.25 * i, 0.25 * i + 0.1, 36 + 2 * (i % 2), 80) for i in range(8)]
    parts = (part_of("piano", *beats), part_of("violin", *beats), part_of("drums", *hits))
    audio = render(score_of(*parts), "timgm", sample_rate=RATE)
    levels = np.sqrt(np.mean(np.square(audio.samples.reshape(8, -1)), axis=1))
    golden = [0.04744, 0.04724, 0.04682, 0.04552, 0.04623, 0.04524, 0.05310, 0.05135]
    assert levels == pytest.approx(golden, rel=1e-3)


def test_the_command_plays_blends(tmp_path: Path) -> None:
    compose_command(tmp_path, n=1, seed=3, duration_s=1.0, soundfont="timgm~+synth")
    assert len(list(tmp_path.iterdir())) == 3
    with pytest.raises(UnknownNameError):
        compose_command(tmp_path / "none", soundfont="timgm+sinth")
