"""The composer's facts are true, its choices cover what they must, and a seed fixes everything."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from llark_py.compose.clip import score_track
from llark_py.compose.harmony import INTERVALS, PROGRESSIONS, draw_harmony, scale_over
from llark_py.compose.instruments import FAMILIES, INSTRUMENTS, VOICES, family_of, members, voice
from llark_py.compose.mood import MOODS, mood_of, notes_per_second
from llark_py.compose.score import Score, compose
from llark_py.compose.styles import FEELS, STYLES, TIME_SIGNATURES, style_named
from llark_py.errors import ConfigError, UnknownNameError
from llark_py.theory import parse_key, pitch_class
from llark_py.track import Track

DURATION_S = 10.0
BEATS_PER_BAR = {"4/4": 4, "3/4": 3, "6/8": 2}


@pytest.fixture(scope="module")
def scores() -> list[Score]:
    return [compose(seed, DURATION_S) for seed in range(100)]


@pytest.fixture(scope="module")
def tracks(scores: list[Score]) -> list[Track]:
    return [score_track(score, 0.7, 9.0) for score in scores]


def test_a_seed_gives_the_same_score_in_whatever_order(scores: list[Score]) -> None:
    for seed in (99, 3, 42):
        assert compose(seed, DURATION_S) == scores[seed]


def test_fixing_the_style_does_not_change_a_piece_that_had_it(scores: list[Score]) -> None:
    for score in scores[:20]:
        assert compose(score.seed, DURATION_S, style=score.style) == score


def test_beats_are_one_tempo_apart_and_bars_begin_on_beats(tracks: list[Track]) -> None:
    moving = 0
    for track in tracks:
        assert track.tempo_bpm is not None and 40 <= track.tempo_bpm <= 220
        spacing = [b - a for a, b in itertools.pairwise(track.beats_s)]
        steady = [s == pytest.approx(60 / track.tempo_bpm, abs=1e-6) for s in spacing]
        moving += not all(steady)
        # Only rubato and the last bars before an end move, and neither loses the tempo.
        assert track.feel == "rubato" or sum(steady) >= 0.5 * len(steady)
        middle = sorted(spacing)[len(spacing) // 2]
        assert middle == pytest.approx(60 / track.tempo_bpm, rel=0.06)
        assert set(track.downbeats_s) <= set(track.beats_s)
        per_bar = BEATS_PER_BAR[track.time_signature or ""]
        first = track.beats_s.index(track.downbeats_s[0])
        assert track.downbeats_s == track.beats_s[first::per_bar]
    assert moving <= 0.1 * len(tracks)


def test_chords_cover_the_excerpt_without_gaps(tracks: list[Track]) -> None:
    for track in filter(lambda t: t.key, tracks):
        assert track.chords[0].start_s == pytest.approx(0.0, abs=1e-6)
        assert track.chords[-1].end_s == pytest.approx(track.duration_s, abs=2e-3)
        for before, after in itertools.pairwise(track.chords):
            assert before.end_s == pytest.approx(after.start_s, abs=1e-6)
        for chord in (c for c in track.chords if c.label != "N"):
            root, quality = chord.label.split(":")
            assert quality in INTERVALS and 0 <= pitch_class(root) < 12


def test_every_chord_is_sounded_when_it_is_said_to_begin(scores: list[Score]) -> None:
    """Some pitched part strikes a tone of each chord near its start, so that it can be heard."""
    unheard = 0
    for score in scores:
        notes = [n for p in score.parts if p.instrument != "drums" for n in p.notes]
        for chord in score.chords:
            if chord.end_s - chord.start_s < 0.5 or chord.label == "N":  # cut, or silent
                continue
            root, quality = chord.label.split(":")
            tones = {(pitch_class(root) + i) % 12 for i in INTERVALS[quality]}
            unheard += not any(
                abs(n.start_s - chord.start_s) < 0.1 and n.pitch % 12 in tones for n in notes
            )
    assert unheard == 0


def test_notes_belong_to_the_key_or_the_chord(scores: list[Score]) -> None:
    """A walking bass may pass through any tone, nobody else leaves scale and chord."""
    for score in scores:
        scale = {
            pitch
            for chord in draw_harmony(random.Random(0), score.tonic, score.mode, True, 4.0, 99.0)
            for pitch in scale_over(chord, score.tonic, score.mode)
        }
        for chord in (c for c in score.chords if c.label != "N"):
            root, quality = chord.label.split(":")
            scale |= {(pitch_class(root) + i) % 12 for i in INTERVALS[quality]}
        for part in score.parts:
            if part.role in ("bass", "drums"):
                continue
            outside = [n for n in part.notes if n.pitch % 12 not in scale]
            assert len(outside) <= 0.05 * len(part.notes), (score.seed, part.instrument)


def test_facts_use_the_words_everyone_uses(tracks: list[Track]) -> None:
    for track in tracks:
        assert track.time_signature in TIME_SIGNATURES
        alone = track.families == ("drums",)
        assert (track.key is None) == (track.mood is None) == (not track.chords) == alone
        assert alone or parse_key(track.key or "")[1] in ("major", "minor")
        assert track.genre is None or track.genre in STYLES
        assert track.feel is None or track.feel in FEELS
        assert alone or track.mood in MOODS
        assert track.sources["*"].name == "composer"
        assert {i.family for i in track.instruments} <= set(FAMILIES)
        for instrument in track.instruments:
            assert instrument.name in INSTRUMENTS
            assert family_of(instrument.name) == instrument.family
            assert sum(b - a for a, b in instrument.activity) >= 0.3
            assert all(0 <= a < b <= track.duration_s + 1e-6 for a, b in instrument.activity)


def test_only_listed_instruments_have_notes(tracks: list[Track]) -> None:
    for track in tracks:
        names = {i.name for i in track.instruments}
        assert {n.instrument for n in track.notes} <= names
        assert bool(track.drums) == ("drums" in names)
        assert track.lead is None or track.lead in names
        assert all(0 <= n.start_s < n.end_s <= track.duration_s + 1e-6 for n in track.notes)
        assert len(track.notes) > 5 or len(track.drums) > 5 or track.tempo_bpm < 60


def test_notes_stay_in_the_register_of_their_instrument(scores: list[Score]) -> None:
    for part in itertools.chain.from_iterable(s.parts for s in scores):
        voice = VOICES[part.instrument]
        outside = [n for n in part.notes if not voice.low - 1 <= n.pitch <= voice.high + 12]
        assert not outside, (part.instrument, outside[:3])


def test_styles_without_drums_have_none() -> None:
    for style in ("classical piano", "ambient", "orchestral"):
        for seed in range(12):
            track = score_track(compose(seed, 6.0, style=style, free_instruments=False))
            assert "drums" not in track.families and not track.drums


def test_free_instruments_reach_every_family() -> None:
    counts: Counter[str] = Counter()
    for seed in range(400):
        counts.update(score_track(compose(seed, 6.0, free_instruments=True)).families)
    for family in FAMILIES:
        assert counts[family] >= 20, counts


def test_metres_modes_and_textures_are_mixed() -> None:
    drawn = [compose(seed, 4.0) for seed in range(400)]
    metres = Counter(s.time_signature for s in drawn)
    assert 160 <= metres["4/4"] <= 280
    assert min(metres["3/4"], metres["6/8"]) >= 40
    assert 120 <= sum(s.mode == "minor" for s in drawn) <= 280
    alone = sum(len({p.instrument for p in s.parts}) == 1 for s in drawn)
    assert 24 <= alone <= 90
    tempi = [s.tempo_bpm for s in drawn]
    assert min(tempi) < 50 and max(tempi) > 180


@pytest.mark.parametrize("mode", ["major", "minor"])
def test_progressions_hold_the_tonic(mode: str) -> None:
    tonic = "I" if mode == "major" else "i"
    assert len(PROGRESSIONS[mode]) >= 12
    for progression in PROGRESSIONS[mode]:
        assert tonic in progression.split()


def test_minor_dominant_has_the_leading_tone() -> None:
    rng = random.Random(1)
    chords = [c for _ in range(20) for c in draw_harmony(rng, 9, "minor", False, 4.0, 64.0)]
    dominants = [c for c in chords if c.label == "E:maj"]
    assert dominants
    assert 8 in scale_over(dominants[0], 9, "minor")  # G# in A minor
    assert 7 not in scale_over(dominants[0], 9, "minor")
    assert 9 in scale_over(dominants[0], 9, "minor")


def test_mood_follows_tempo_and_mode() -> None:
    assert mood_of("rock", "major", 170, "4/4", 6, True) == "energetic"
    assert mood_of("folk", "minor", 60, "4/4", 1, False) == "melancholic"
    assert mood_of("metal", "minor", 120, "4/4", 5, True) == "aggressive"
    # The same beat rate is faster music in 6/8, where a beat is a dotted quarter.
    assert mood_of("folk", "major", 105, "6/8", 3.2, False) == "cheerful"
    assert mood_of("folk", "major", 100, "4/4", 3.2, False) == "peaceful"


def test_the_notes_of_a_chord_are_one_onset() -> None:
    starts = [(0.0, "piano"), (0.01, "piano"), (0.0, "flute"), (1.0, "piano")]
    assert notes_per_second(starts, 2.0) == 1.5


def test_unknown_names_are_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'jazz'"):
        compose(0, 5.0, style="jaz")
    with pytest.raises(UnknownNameError, match="Did you mean 'violin'"):
        family_of("violn")
    with pytest.raises(UnknownNameError, match="instrument family"):
        members("kazoos")
    with pytest.raises(ConfigError, match="positive"):
        compose(0, 0.0)


def test_styles_name_only_instruments_that_exist() -> None:
    for name in STYLES:
        style = style_named(name)
        used = [*style.bass, *style.melody, *style.pads]
        used += [n for names, _ in style.chords for n in names]
        assert set(used) <= set(INSTRUMENTS)
        assert set(style.metres) == set(TIME_SIGNATURES)


def test_winds_and_strings_that_play_alone_may_play_a_tune_with_rests():
    scores = [compose(seed, 12.0, free_instruments=True) for seed in range(500)]
    lines = [s.parts[0] for s in scores if len(s.parts) == 1 and s.parts[0].role != "drums"]
    lines = [line for line in lines if not voice(line.instrument).polyphonic]
    sounding = [
        sum(note.end_s - note.start_s for note in line.notes)
        / (line.notes[-1].end_s - line.notes[0].start_s)
        for line in lines
    ]
    assert len(lines) > 8
    assert sum(share < 0.8 for share in sounding) >= 0.25 * len(lines)
    assert all(compose(s, 12.0, sung=True, free_instruments=True).parts for s in range(60))
