"""Whole songs: sections tile them, facts follow the tempo map, and they end; styles differ."""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from llark_py.compose.clip import make_song, score_track
from llark_py.compose.form import ENDINGS, FORMS, SECTION_LABELS, draw_excerpt, draw_form
from llark_py.compose.grooves_popular import GROOVES
from llark_py.compose.harmony import draw_harmony, read_numeral, scale_over
from llark_py.compose.instruments import FAMILIES, INSTRUMENTS
from llark_py.compose.melody import write_melody
from llark_py.compose.ornaments import ornament
from llark_py.compose.patterns_popular import BASS_PATTERNS, CHORD_PATTERNS
from llark_py.compose.score import Score, compose
from llark_py.compose.style import FEELS
from llark_py.compose.styles import STYLES, TIME_SIGNATURES, style_named
from llark_py.compose.timing import draw_tempo_map, steady, swing_place
from llark_py.theory import parse_key, pitch_class
from llark_py.track import Track, crop, transpose

N_SONGS, N_CLIPS = 40, 700
LEAST, MOST = 0.1, 0.46


@pytest.fixture(scope="module")
def songs() -> list[Score]:
    return [compose(seed, 60.0 + 17 * seed % 150, whole=True) for seed in range(N_SONGS)]


@pytest.fixture(scope="module")
def facts(songs: list[Score]) -> list[Track]:
    return [score_track(song) for song in songs]


@pytest.fixture(scope="module")
def clips() -> list[Track]:
    return [score_track(compose(seed, 10.0)) for seed in range(N_CLIPS)]


# --- styles ---------------------------------------------------------------------------------


def test_the_first_ten_styles_keep_their_places() -> None:
    first = "rock, jazz, classical piano, electronic dance, folk, ambient, hip-hop, latin, metal"
    assert STYLES[:10] == (*first.split(", "), "orchestral")
    assert len(STYLES) == len(set(STYLES)) == 22
    assert INSTRUMENTS[52] == "drums" and len(set(INSTRUMENTS)) == len(INSTRUMENTS)


def test_styles_differ_in_rhythm_bass_and_accompaniment() -> None:
    for a, b in itertools.combinations(STYLES, 2):
        one, other = style_named(a), style_named(b)
        same = (
            one.kit == other.kit is not None,
            set(one.bass_patterns) == set(other.bass_patterns),
            {pattern for _, pattern in one.chords} == {pattern for _, pattern in other.chords},
            one.progressions("major") == other.progressions("major") != (),
        )
        assert sum(same) <= 1, (a, b)


def test_styles_name_only_what_exists() -> None:
    for name in STYLES:
        style = style_named(name)
        assert {pattern for _, pattern in style.chords} <= set(CHORD_PATTERNS)
        assert set(style.bass_patterns) <= set(BASS_PATTERNS)
        assert style.kit is None or style.kit in GROOVES
        assert style.form in FORMS
        for mode in ("major", "minor"):
            numerals = [n.split() for n in style.progressions(mode)]
            tonic = "I" if mode == "major" else "i"
            for progression in numerals:
                assert any(n.rstrip("7") == tonic for n in progression)
                assert all(0 <= read_numeral(n, mode, True)[0] < 12 for n in progression)


def test_every_groove_and_pattern_stays_in_its_bar() -> None:
    bars = {"4/4": 4.0, "3/4": 3.0, "6/8": 3.0}
    for table in (CHORD_PATTERNS, BASS_PATTERNS):
        for name, metres in table.items():
            assert set(metres) == set(TIME_SIGNATURES), name
            for metre, variants in metres.items():
                assert all(0 <= hit[0] < bars[metre] for hits in variants for hit in hits), name
    for name, grooves in GROOVES.items():
        for metre, groove in grooves.items():
            times = [t for _, options in groove.values() for option in options for t in option]
            assert all(0 <= t < bars[metre] for t in times), name


def test_secondary_and_borrowed_chords_are_read() -> None:
    assert read_numeral("II7", "major", False) == (2, "7")
    assert read_numeral("ii7", "major", False) == (2, "min7")
    assert read_numeral("bVI", "major", False) == (8, "maj")
    assert read_numeral("bII", "minor", False) == (1, "maj")


# --- ensembles ------------------------------------------------------------------------------


def test_every_family_is_heard_often_enough_to_be_learned(clips: list[Track]) -> None:
    counts = Counter(family for track in clips for family in track.families)
    for family in FAMILIES:
        assert LEAST <= counts[family] / N_CLIPS <= MOST, (family, counts[family])


def test_half_of_the_clips_draw_instruments_of_their_own(clips: list[Track]) -> None:
    assert 0.45 <= sum(track.genre is None for track in clips) / N_CLIPS <= 0.7
    assert {i.name for track in clips for i in track.instruments} == set(INSTRUMENTS)
    sizes = Counter(len(track.instruments) for track in clips)
    assert sizes[1] >= 60 and sizes[2] >= 70 and sum(sizes[n] for n in (4, 5, 6)) >= 180


def test_drums_alone_have_neither_key_nor_chords(clips: list[Track]) -> None:
    alone = [track for track in clips if track.families == ("drums",)]
    assert 5 <= len(alone) <= 45
    for track in alone:
        assert track.key is None and not track.chords and not track.notes and track.mood is None
        assert track.drums and track.tempo_bpm and track.beats_s


def test_short_clips_mostly_hold_one_section(clips: list[Track]) -> None:
    crossing = [track for track in clips if len(track.sections) > 1]
    assert 0.2 <= len(crossing) / N_CLIPS <= 0.45
    assert all(track.sections == () or len(track.sections) > 1 for track in clips)


def test_feels_are_told_where_they_can_be_heard(clips: list[Track]) -> None:
    feels = Counter(track.feel for track in clips)
    assert set(feels) <= {*FEELS, None}
    assert feels["swung"] >= 50 and feels["rubato"] >= 9 and feels["half-time"] >= 5
    assert all(t.time_signature != "6/8" for t in clips if t.feel in ("swung", "straight"))


# --- form -----------------------------------------------------------------------------------


def test_sections_tile_the_song_and_begin_on_downbeats(facts: list[Track]) -> None:
    for track in facts:
        assert track.sections[0].start_s == 0.0
        assert track.sections[-1].end_s == pytest.approx(track.duration_s)
        for before, after in itertools.pairwise(track.sections):
            assert before.end_s == pytest.approx(after.start_s, abs=1e-6)
            assert min(abs(d - after.start_s) for d in track.downbeats_s) < 1e-6
        assert {s.label for s in track.sections} <= set(SECTION_LABELS)
        assert 3 <= len(track.sections) <= 18
    labels = {s.label for track in facts for s in track.sections}
    assert labels >= {"intro", "verse", "chorus", "bridge", "solo", "theme", "outro", "break"}


@pytest.mark.parametrize("form", FORMS)
def test_forms_come_near_the_length_asked_for(form: str) -> None:
    for seed in range(12):
        n_bars = 20 + 12 * seed
        passages = draw_form(form, n_bars, random.Random(seed))
        assert sum(p.n_bars for p in passages) == pytest.approx(n_bars, rel=0.3)
        assert [bool(p.ending) for p in passages] == [False] * (len(passages) - 1) + [True]
        assert passages[-1].ending in ENDINGS


def test_excerpts_have_the_bars_they_need() -> None:
    for seed in range(200):
        passages = draw_excerpt("song", 7, random.Random(seed))
        assert len(passages) <= 2
        assert sum(p.n_bars for p in passages) == (5 if passages[-1].ending else 7)
        sung = draw_excerpt("song", 7, random.Random(seed), sung=True)
        assert not {p.label for p in sung} & {"intro", "solo", "break", "outro"}


def test_sections_of_one_label_are_the_same_music(songs: list[Score]) -> None:
    """A chorus has the chords of the chorus before it, as far as both go."""
    compared = 0
    for song in songs:
        if len(song.keys) > 1:
            continue
        by_label: dict[str, list[str]] = {}
        for section in song.sections[:-1]:
            inside = [
                c.label
                for c in song.chords
                if section.start_s - 1e-6 <= c.start_s < section.end_s - 1e-6
            ]
            known = by_label.setdefault(section.label, inside)
            if "N" not in (*known, *inside):
                n = min(len(known), len(inside)) - 1
                assert known[:n] == inside[:n], (song.seed, section)
                compared += known is not inside
    assert compared > 10


def test_instruments_come_and_go(facts: list[Track]) -> None:
    changes = 0
    for track in facts:
        heard = [
            frozenset(
                i.name
                for i in track.instruments
                if any(a < s.end_s - 0.5 and b > s.start_s + 0.5 for a, b in i.activity)
            )
            for s in track.sections
        ]
        changes += sum(a != b for a, b in itertools.pairwise(heard))
    assert changes > 1.2 * N_SONGS


# --- time -----------------------------------------------------------------------------------


def test_beats_grow_and_bars_keep_their_length(facts: list[Track]) -> None:
    per_bar = {"4/4": 4, "3/4": 3, "6/8": 2}
    for track in facts:
        assert all(b > a for a, b in itertools.pairwise(track.beats_s))
        assert track.downbeats_s == track.beats_s[:: per_bar[track.time_signature or ""]]
        middle = float(np.median(np.diff(track.beats_s)))
        assert 60 / middle == pytest.approx(track.tempo_bpm, rel=0.06)


def test_a_ritardando_slows_down_and_everything_follows() -> None:
    tempo_map = draw_tempo_map(120.0, 1.0, 32.0, random.Random(3), ritardando=4.0)
    beats = [tempo_map(i) for i in range(33)]
    spacing = np.diff(beats)
    assert spacing[:28] == pytest.approx([0.5] * 28)
    assert all(b > a for a, b in itertools.pairwise(spacing[27:]))
    slowing = [s for s in (compose(n, 70.0, whole=True) for n in range(30)) if _slows(s)]
    assert len(slowing) >= 2
    for song in slowing:
        # Chords still begin on beats, and notes with the chords.
        starts = [n.start_s for p in song.parts for n in p.notes]
        for chord in [c for c in song.chords if c.label != "N"][-3:]:
            assert min(abs(s - chord.start_s) for s in starts) < 0.05


def _slows(song: Score) -> bool:
    spacing = np.diff(song.beats_s)
    return bool(spacing[-1] > 1.2 * np.median(spacing)) and song.feel != "rubato"


def test_swing_keeps_beats_and_the_order_of_what_lies_between() -> None:
    places = [i / 12 for i in range(49)]
    moved = [swing_place(p, 0.66) for p in places]
    assert moved[::12] == pytest.approx([0, 1, 2, 3, 4])
    assert moved[6] == pytest.approx(0.66)
    assert all(b > a for a, b in itertools.pairwise(moved))
    assert [swing_place(p, 0.5) for p in places] == pytest.approx(places)
    assert steady(120.0)(3.0) == pytest.approx(1.5)


# --- endings and keys -----------------------------------------------------------------------


def test_songs_end_on_the_tonic_and_then_are_silent_or_fade(songs: list[Score]) -> None:
    ended = 0
    for song in songs:
        last = [c for c in song.chords if c.label != "N"]
        if song.fade_s or not last:
            continue
        tonic, mode = parse_key(song.keys[-1].key)
        root, quality = last[-1].label.split(":")
        assert (pitch_class(root), quality) == (tonic, mode[:3]), song.seed
        assert last[-1].start_s == pytest.approx(song.beats_s[-1], abs=1e-6)
        ended += 1
    assert ended >= 0.6 * N_SONGS
    assert any(song.fade_s for song in songs)


def test_a_faded_song_is_nearly_silent_at_its_end() -> None:
    seed = next(s for s in range(50) if compose(s, 60.0, whole=True, sung=False).fade_s)
    track, audio = make_song(seed, 60.0, augment=False, sung=False)
    level = np.sqrt(np.mean(np.square(audio.samples.reshape(60, -1)), axis=1))
    assert track.duration_s == 60.0 and len(audio.samples) == 60 * audio.sample_rate
    assert level[-1] < 0.1 * level[40] and level[-4] < 0.7 * level[40]


def test_a_middle_part_may_lie_a_fourth_higher_and_comes_home() -> None:
    songs = [compose(seed, 90.0, style="ragtime", whole=True) for seed in range(30)]
    away = [song for song in songs if len(song.keys) > 2]
    assert away
    for song in away:
        tonics = [parse_key(k.key)[0] for k in song.keys]
        assert tonics[0] == tonics[2] and (tonics[1] - tonics[0]) % 12 == 5
        assert score_track(song).key == song.key or len(song.keys) > 2
        assert song.keys[-1].end_s == song.duration_s


def test_the_last_chorus_of_some_songs_is_higher(songs: list[Score]) -> None:
    rising = [song for song in songs if len(song.keys) == 2]
    assert 0.1 <= len(rising) / N_SONGS <= 0.45
    for song in rising:
        home, higher = song.keys
        assert home.end_s == pytest.approx(higher.start_s)
        (low, mode), (high, other) = parse_key(home.key), parse_key(higher.key)
        assert mode == other and (high - low) % 12 in (1, 2)
        track = score_track(song)
        assert track.key == home.key
        late = crop(track, higher.start_s + 0.1, track.duration_s)
        assert late.key == higher.key
        up = transpose(track, 3)
        assert parse_key(up.keys[1].key)[0] == (high + 3) % 12
        # Its chords are in the new key, too.
        scale = {
            p
            for c in draw_harmony(random.Random(1), high, mode, False, 4.0, 64.0)
            for p in scale_over(c, high, mode)
        }
        roots = [pitch_class(c.label.split(":")[0]) for c in late.chords if c.label != "N"]
        assert sum(root in scale for root in roots) >= 0.6 * len(roots)


# --- expression -----------------------------------------------------------------------------


def test_ornaments_stay_in_the_scale_and_keep_the_tune() -> None:
    chords = draw_harmony(random.Random(2), 0, "major", False, 4.0, 64.0)
    tune = write_melody(
        "4/4", chords, 16, 100.0, (72, 60, 84), 90, (0, "major"), random.Random(4), 1
    )
    adorned = ornament(tune, chords, 100.0, (0, "major"), 0.6, random.Random(5))
    assert len(adorned) > len(tune)
    palette = {p for c in chords for p in scale_over(c, 0, "major")}
    assert {n.pitch % 12 for n in adorned} <= palette
    starts = {round(n.start, 6) for n in adorned}
    assert {round(n.start, 6) for n in tune} <= starts
    assert sum(n.length for n in adorned) == pytest.approx(sum(n.length for n in tune), rel=0.1)


def test_choruses_are_louder_than_verses(songs: list[Score]) -> None:
    louder = []
    for song in songs:
        level = {}
        for section in song.sections:
            inside = [
                n.velocity
                for p in song.parts
                for n in p.notes
                if section.start_s <= n.start_s < section.end_s
            ]
            if inside:
                level.setdefault(section.label, float(np.mean(inside)))
        if {"verse", "chorus"} <= set(level):
            louder.append(level["chorus"] > level["verse"])
    assert len(louder) >= 5 and np.mean(louder) > 0.8


# --- truth ----------------------------------------------------------------------------------


def test_activity_is_where_notes_sound(songs: list[Score], facts: list[Track]) -> None:
    for song, track in zip(songs, facts, strict=True):
        for instrument in track.instruments:
            notes = [n for p in song.parts if p.instrument == instrument.name for n in p.notes]
            for start, end in instrument.activity:
                inside = [n for n in notes if start - 1e-6 <= n.start_s < end]
                assert min(n.start_s for n in inside) == pytest.approx(start)
                times = sorted((n.start_s, n.end_s) for n in inside)
                heard = times[0][1]
                for a, b in times:
                    assert instrument.name == "drums" or a - heard < 0.5
                    heard = max(heard, b)
            covered = sum(
                any(a - 1e-6 <= n.start_s < b for a, b in instrument.activity) for n in notes
            )
            assert covered == len(notes)


def test_chords_are_said_only_where_something_has_them(songs: list[Score]) -> None:
    silent = 0
    for song in songs:
        pitched = [(n.start_s, n.end_s) for p in song.parts if p.role != "drums" for n in p.notes]
        for chord in song.chords:
            if chord.label == "N" and chord.end_s - chord.start_s > 1.0:
                silent += 1
                middle = (chord.start_s + chord.end_s) / 2
                inside = [s for s in pitched if s[0] < middle < s[1]]
                assert not inside or chord is song.chords[-1]
    assert silent


def test_a_song_is_the_same_in_every_process() -> None:
    code = (
        "import hashlib; from llark_py.compose.score import compose;"
        "print(hashlib.sha256(repr([compose(s, d) for s in range(12) for d in (10.0, 90.0)])"
        ".encode()).hexdigest())"
    )
    here = hashlib.sha256(
        repr([compose(s, d) for s in range(12) for d in (10.0, 90.0)]).encode()
    ).hexdigest()
    for hash_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        assert run.stdout.strip() == here


def test_fixing_style_or_singer_leaves_the_rest_alone() -> None:
    for seed in range(15):
        drawn = compose(seed, 10.0)
        sung = any(p.instrument == "singer" for p in drawn.parts)
        assert compose(seed, 10.0, style=drawn.style) == drawn
        assert not sung or compose(seed, 10.0, sung=True) == drawn
        assert sung or compose(seed, 10.0, sung=False) == drawn
