"""Two songs side by side: tempi, keys, instruments, loudness, likeness; and the Camelot wheel."""

from __future__ import annotations

import json

import numpy as np
import pytest
from likeness import excerpts

from llark_py import cli
from llark_py.analysis import comparison
from llark_py.analysis.likeness import _EVEN_COSINE as EVEN
from llark_py.audio import Audio, save_audio
from llark_py.compose.clip import make_clip
from llark_py.errors import ToolError
from llark_py.instruct.aspects import ASPECTS
from llark_py.theory import KEYS, camelot_code, key_relation, transpose_key
from llark_py.tools import Workspace, run_tool


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("C major", "8B"), ("A minor", "8A"), ("G major", "9B"), ("F major", "7B"),
        ("E major", "12B"), ("B major", "1B"), ("Ab minor", "1A"), ("Db minor", "12A"),
        ("F# major", "2B"), ("Eb minor", "2A"), ("D minor", "7A"), ("F# minor", "11A"),
    ],
)  # fmt: skip
def test_keys_have_their_place_on_the_wheel(key, code):
    assert camelot_code(key) == code


def test_the_wheel_has_every_key_once_and_fifths_are_neighbours():
    assert {camelot_code(key) for key in KEYS} == {f"{n}{m}" for n in range(1, 13) for m in "AB"}
    for key in KEYS:
        fifth = transpose_key(key, 7)
        assert key_relation(key, fifth) == key_relation(fifth, key) == "neighbours"
        assert key_relation(key, key) == "same"
        assert key_relation(key, transpose_key(key, 6)) == "distant"
    assert key_relation("Db major", "C# major") == "same"
    assert key_relation("C major", "A minor") == key_relation("A minor", "C major") == "relative"
    assert key_relation("C major", "C minor") == key_relation("C major", "E minor") == "distant"


@pytest.mark.parametrize(
    ("first", "second", "percent"),
    [
        (120, 120, 0), (120, 126, -4.76), (126, 120, 5), (120, 60, 0), (60, 120, 0),
        (174, 88, -1.14), (88, 174, 1.15), (120, 90, 33.3), (100, 142, -29.6),
    ],
)  # fmt: skip
def test_beats_are_matched_by_the_smallest_change_of_speed(first, second, percent):
    assert comparison.match_beats(first, second) == pytest.approx(percent, abs=0.7)
    changed = second * (1 + comparison.match_beats(first, second) / 100)
    assert min(abs(changed / first - f) for f in (0.5, 1, 2)) < 1e-9


@pytest.fixture(scope="module")
def songs():
    """Four songs as two excerpts of each."""
    return [excerpts(7100 + i) for i in range(4)]


def test_excerpts_of_one_song_are_alike_and_unrelated_songs_are_not(songs):
    same = [comparison.measure_similarity(*pair) for pair in songs]
    other = [comparison.measure_similarity(songs[i][0], songs[i - 1][1]) for i in range(4)]
    assert min(same) > max(other), "another encoder? run tests/likeness.py and set the constants"
    assert np.median(same) > 0.85 and np.median(other) < 0.15
    assert all(0 <= s <= 1 for s in (*same, *other))


def test_likeness_does_not_depend_on_the_order(songs):
    one, other = songs[0][0], songs[1][0]
    there = comparison.measure_similarity(one, other)
    assert comparison.measure_similarity(other, one) == pytest.approx(there, abs=1e-6)


def test_two_songs_are_told_side_by_side():
    facts, first = make_clip(31, 12.0, augment=False, style="pop")
    second = Audio(np.stack([0.5 * first.samples] * 2), first.sample_rate)
    result = run_tool("compare_songs", {}, {"audio_1": first, "audio_2": second}, Workspace())
    told = result.content
    assert json.loads(json.dumps(result.details))["similarity"] == told["similarity"] > 0.9
    assert told["tempo_ratio"] == 1.0 and told["beat_match_percent"] == 0.0 and told["beats_match"]
    assert told["first_tempo_bpm"] == told["second_tempo_bpm"]
    assert told["key_relation"] == "same" and told["keys_mix"]
    assert told["first_camelot"] == camelot_code(told["first_key"]) == told["second_camelot"]
    # A mono recording comes out of both loudspeakers: half the amplitude is 6 dB less.
    assert told["loudness_difference_lu"] == pytest.approx(-6.0, abs=0.1)
    assert set(told["instruments_in_both"]) & set(facts.families)
    assert told["instruments_in_first_only"] == told["instruments_in_second_only"] == ()


def test_what_differs_is_told_of_the_right_song(monkeypatch):
    def song(bpm, key, families, lufs):
        rhythm = comparison.Rhythm(bpm, bpm / 2, (), 1.0 if bpm > 100 else 0.4)
        harmony = comparison.Harmony(key, "C major", 0.7, 0.0)
        return comparison.Song(rhythm, harmony, families, lufs)

    made = {
        "first": song(124.0, "A minor", ("drums", "bass"), -9.0),
        "second": song(65.0, "E minor", ("bass", "piano"), -14.0),
    }
    monkeypatch.setattr(comparison, "_measure", lambda audio, which: made[which])
    monkeypatch.setattr(comparison, "embedding_cosine", lambda one, other: EVEN)
    audios = {f"audio_{i}": Audio(np.full(9, i / 10, np.float32), 8000) for i in (1, 2)}
    told = run_tool("compare_songs", {}, audios, Workspace()).content
    assert told == {
        "first_tempo_bpm": 124.0, "second_tempo_bpm": 65.0, "faster": "first",
        "tempo_ratio": 0.52,
        "beat_match_percent": -4.6, "beats_match": True, "tempo_confidence": 0.4,
        "first_key": "A minor", "second_key": "E minor", "first_camelot": "8A",
        "second_camelot": "9A", "key_relation": "neighbours", "keys_mix": True,
        "key_confidence": 0.7, "instruments_in_both": ("bass",),
        "instruments_in_first_only": ("drums",), "instruments_in_second_only": ("piano",),
        "loudness_difference_lu": -5.0, "louder": "first", "similarity": 0.5,
    }  # fmt: skip
    for aspect, names in ASPECTS.items():
        of_it = run_tool("compare_songs", {"aspect": aspect}, audios, Workspace()).content
        assert of_it == {name: told[name] for name in told if name in names}, aspect
    assert {name for names in ASPECTS.values() for name in names} == set(told)
    made["second"] = song(93.0, "Eb major", (), -8.7)
    told = run_tool("compare_songs", {}, audios, Workspace()).content
    assert (told["faster"], told["louder"]) == ("first", "neither")
    assert not told["beats_match"] and not told["keys_mix"]


def test_the_song_that_cannot_be_compared_is_named():
    music = make_clip(31, 4.0, augment=False, style="pop")[1]
    silence = Audio(np.zeros(80_000, np.float32), 16_000)
    with pytest.raises(ToolError, match=r"the second of the two cannot be compared: .* silent"):
        comparison.compare(music, silence)
    with pytest.raises(ToolError, match=r"the first of the two .* shorter than 3 seconds"):
        comparison.compare(music.slice(0, 2), music)


def test_two_songs_are_compared_from_the_shell(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    music = make_clip(31, 6.0, augment=False, style="pop")[1]
    save_audio(music, tmp_path / "a.wav")
    save_audio(music.slice(0, 4), tmp_path / "b = c.wav")
    assert cli.main(["tools", "compare_songs", "a.wav", "b = c.wav", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["songs"] == ["a.wav", "b = c.wav"] and line["result"]["similarity"] > 0.5
    assert cli.main(["tools", "cut_clip", "a.wav", "start_s=1.5", "end_s=3", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["song"] == "a.wav" and line["result"]["end_s"] == 3.0
    assert line["artefacts"] == ["a-2.wav"]
    assert cli.main(["tools", "cut_clip", "a.wav", "start_s=soon"]) == 2
    assert "argument 'start_s' of cut_clip" in capsys.readouterr().err
