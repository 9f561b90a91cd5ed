"""The tools benchmark: known answers give known scores, and a run goes on where it stopped."""

from __future__ import annotations

import json

import numpy as np
import pytest

from llark_py.analysis.drums import Drums
from llark_py.analysis.stems import Separation
from llark_py.audio import Audio, save_audio
from llark_py.benchmarks import tools
from llark_py.benchmarks.answers import AnswerBook
from llark_py.benchmarks.clips import compose_clips
from llark_py.benchmarks.measuring import recordings, stems
from llark_py.benchmarks.measuring.facts import note_facts, track_facts
from llark_py.benchmarks.measuring.music import (
    SAMPLE_RATE,
    STEM_OF_FAMILY,
    UNSEEN,
    Mix,
)
from llark_py.benchmarks.measuring.report import summarise, write_report
from llark_py.benchmarks.measuring.scoring import TOOL, confidences, score_facts
from llark_py.benchmarks.trial import Trial
from llark_py.compose.instruments import INSTRUMENTS, family_of
from llark_py.errors import ConfigError


@pytest.fixture(scope="module")
def clips():
    return compose_clips(6, "synth", 12.0, "mixed")


def rows_of(clips, answer, confidence=None):
    """Rows of all plain facts of clips; `answer` maps (fact, truth) to what is said."""
    rows = []
    for clip in clips:
        track = clip.track
        truths = {**track_facts(track), "notes": note_facts(track.notes)}
        truths["drums"] = [[round(h.time_s, 3), h.piece] for h in track.drums]
        for fact, truth in truths.items():
            sure = None if fact in ("instruments", "activity", "downbeats", "notes") else confidence
            row = tools._row(track, "clips", fact, truth, TOOL, answer(fact, truth), sure)
            rows.append(row)
    return json.loads(json.dumps(rows))


def values(rows):
    return {name: estimate.value for name, estimate in score_facts(rows, 5).items()}


# --- known answers, known scores ----------------------------------------------------------------


def test_the_truth_scores_one(clips):
    found = values(rows_of(clips, lambda fact, truth: truth))
    assert set(found.values()) == {1.0}, found
    assert {"tempo_acc1", "tempo_acc2", "beats_f", "downbeats_f", "key", "key_mirex"} <= set(found)
    assert {"chords_majmin", "notes_onset_f1", "family_macro_f1", "activity_f1"} <= set(found)
    assert {"vocals", "drums_onset_f1", "drums_onset_macro_f1", "drums kick"} <= set(found)


def test_nothing_said_scores_nothing(clips):
    empty = {"notes": [], "drums": [], "instruments": [], "activity": {}}
    found = values(rows_of(clips, lambda fact, truth: empty.get(fact)))
    assert set(found.values()) == {0.0}, found


def test_double_tempo_is_right_only_where_octaves_are_free(clips):
    rows = rows_of(clips, lambda f, t: 2 * t if f == "tempo" else t)
    found = values([row for row in rows if row["fact"] == "tempo"])
    assert (found["tempo_acc1"], found["tempo_acc2"]) == (0.0, 1.0)


def test_half_of_what_there_is_scores_as_recall_says():
    beats = np.arange(0.5, 30, 0.5).tolist()
    notes = [[i * 0.5, i * 0.5 + 0.4, 60 + i % 5] for i in range(40)]
    row = {"id": "a", "condition": TOOL, "duration_s": 30.0}
    kept = [
        {**row, "fact": "beats", "truth": beats, "value": beats[::2]},
        {**row, "fact": "notes", "truth": notes, "value": notes[::2]},
        {**row, "fact": "chords", "truth": [[0, 30, "C:maj"]], "value": [[0, 15, "C:maj"]]},
        {
            **row,
            "fact": "drums",
            "truth": [[t, "kick"] for t in beats] + [[t, "snare"] for t in beats],
            "value": [[t + 0.04, "kick"] for t in beats] + [[t + 0.06, "snare"] for t in beats],
        },
        {
            **row,
            "fact": "activity",
            "truth": {"piano": [[0.0, 30.0]], "bass": [[0.0, 10.0]]},
            "value": {"piano": [[0.0, 30.0]]},
        },
    ]
    found = values(kept)
    assert found["beats_f"] == pytest.approx(2 / 3, abs=0.02)
    assert found["notes_onset_f1"] == pytest.approx(2 / 3, abs=0.01)
    assert found["chords_majmin"] == pytest.approx(0.5)
    assert (found["drums kick"], found["drums snare"]) == (1.0, 0.0)
    assert found["drums_onset_f1"] == found["drums_onset_macro_f1"] == 0.5
    assert found["drums_any_onset_f1"] == pytest.approx(2 / 3, abs=0.01)  # half are 60 ms late
    assert found["activity_f1"] == pytest.approx(600 / 700, abs=0.01)
    assert found["activity_macro_f1"] == pytest.approx(0.5, abs=0.01)


def test_drums_are_also_scored_by_the_classes_of_the_literature():
    kick, hat = [[1.0, "kick"], [2.0, "kick"]], [[1.0, "open hi-hat"], [3.0, "closed hi-hat"]]
    others = [[1.5, "rim shot"], [2.5, "ride cymbal"], [4.0, "tambourine"]]
    told = [[1.0, "closed hi-hat"], [3.0, "closed hi-hat"], [1.5, "snare"], [2.5, "shaker"]]
    row = {"id": "a", "duration_s": 5.0, "fact": "drums", "condition": "tool"}
    found = values([{**row, "truth": sorted(kick + hat + others), "value": sorted(kick + told)}])
    assert found["drums_onset_f1"] == pytest.approx(2 * 3 / (7 + 6))
    # The rim of the snare is its snare; the ride is not found, and the shaker is of no kit.
    assert found["drums_kit_onset_f1"] == pytest.approx(2 * 4 / (6 + 5))
    # Both hi-hats are one, and rides do not count.
    assert found["drums_three_onset_f1"] == 1.0
    assert found["drums_any_onset_f1"] == pytest.approx(2 * 5 / (6 + 5))
    silent = values([{**row, "truth": [[1.0, "shaker"]], "value": None}])
    assert silent["drums_onset_f1"] == 0.0


def test_sections_are_scored_by_boundaries_and_by_what_is_alike():
    truth = [[0, 10, "A"], [10, 20, "B"], [20, 30, "A"]]
    row = {"id": "a", "condition": TOOL, "duration_s": 30.0, "fact": "sections", "truth": truth}
    late = [[0, 12, "x"], [12, 22, "y"], [22, 30, "x"]]
    found = values([{**row, "value": late}])
    assert (found["boundaries_f 0.5 s"], found["boundaries_f 3 s"]) == (0.0, 1.0)
    assert 0.6 < found["sections_pairwise_f"] < 1.0
    assert set(values([{**row, "value": truth}]).values()) == {1.0}
    assert set(values([{**row, "value": []}]).values()) == {0.0}


def test_calibration_of_each_tool_is_known(clips):
    right = confidences(rows_of(clips, lambda fact, truth: truth, 0.9))
    assert set(right) == {"tempo", "key", "chords", "drums", "vocals", "beats"}
    assert {fact: r["ece"] for fact, r in right.items()} == dict.fromkeys(right, 0.1)
    wrong = confidences(rows_of(clips, lambda fact, truth: None, 0.9))
    assert all(r["ece"] >= 0.9 for fact, r in wrong.items() if fact != "drums")


def test_of_instruments_every_family_that_is_named_counts():
    row = {"id": "a", "condition": TOOL, "fact": "instruments", "truth": ["piano", "bass"]}
    said = {**row, "value": [], "confidence": {"piano": 0.95, "drums": 0.15}}
    assert confidences([said])["instruments"]["ece"] == pytest.approx(0.1)


# --- whole runs ---------------------------------------------------------------------------------


def test_a_clip_is_measured_by_every_tool_and_its_rival(clips, monkeypatch):
    monkeypatch.setattr(tools, "measure_drums", lambda audio: Drums((), 0.0))
    monkeypatch.setattr(tools, "basic_pitch_notes", lambda audio: [])
    rows = json.loads(json.dumps(list(tools.ask_clip(clips[0], notes=True))))
    asked = {(row["fact"], row["condition"]) for row in rows}
    for fact in ("tempo", "key", "beats", "downbeats", "chords"):
        assert {(fact, TOOL), (fact, "librosa")} <= asked
    sure = {row["fact"] for row in rows if row.get("confidence") is not None}
    assert {"tempo", "key", "chords", "instruments", "vocals"} <= sure
    assert ("notes", "basic pitch") in asked and ("drums", "band onsets") in asked
    assert {"tool", "librosa", "constant"} <= set(summarise(rows, 5)["scores"]["clips"])


def noise(seed, seconds=1.0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)


def mix(seed):
    parts = {"vocals": noise(seed, 2.0), "drums": noise(seed + 1, 2.0)}
    return Mix(f"mix-{seed}", parts)


def test_stems_are_set_beside_the_mixture_and_written_up(monkeypatch, tmp_path):
    songs = [mix(0), mix(10)]
    truths = {song.audio.content_hash: song.parts for song in songs}

    def perfect(audio, progress):
        sounds = {k: Audio(v, SAMPLE_RATE) for k, v in truths[audio.content_hash].items()}
        return Separation(sounds, {}, {}, dict.fromkeys(sounds, 0.8))

    monkeypatch.setattr(stems, "take_apart", perfect)
    book = AnswerBook(tmp_path, {"benchmark": "tools"})

    def pieces(first, n):
        return [(str(first), lambda: stems.ask_mixes([songs[first - 300]]))]

    book.in_chunks("mixes", 300, 2, 1, pieces)
    assert sorted(p.name for p in (tmp_path / "parts").iterdir()) == [
        "mixes-000300.jsonl",
        "mixes-000301.jsonl",
    ]
    text = write_report(book.rows, {"benchmark": "tools"}, tmp_path, plots=True)
    scores = json.loads((tmp_path / "scores.json").read_text())["scores"]["mixes"]
    assert scores["tool"]["sdr vocals"]["value"] > 60 > scores["mixture"]["sdr vocals"]["value"]
    assert summarise(book.rows)["reliability"]["mixes: separation"]["ece"] == pytest.approx(0.2)
    assert set(scores) == {"tool", "mixture", "hpss", "repet-sim"}
    for name in ("tools.png", "reliability.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG") and f"({name})" in text
    assert "| sdr drums |" in text and "sdr vocals" not in scores["hpss"]


def test_what_a_folder_of_recordings_states_is_measured(tmp_path, monkeypatch):
    (tmp_path / "audio").mkdir()
    (tmp_path / "text").mkdir()
    lines = []
    for name in ("song.mix", "song.guitar", "song.backing", "solo"):
        save_audio(Audio(noise(len(name), 3.0), SAMPLE_RATE), tmp_path / "audio" / f"{name}.wav")
        stated = {"tempo_bpm": 120, "beat_zero_s": 0.25} if "." in name else {"key": "E minor"}
        lines.append(json.dumps({"file": f"audio/{name}.wav", "facts": stated}))
    (tmp_path / "manifest.jsonl").write_text("\n".join(lines))
    (tmp_path / "text" / "solo_notesA1.csv").write_text("0.5,440.0,0.4\n1.0,261.626,0.5\n")
    monkeypatch.setattr(recordings, "basic_pitch_notes", lambda audio: [])
    [said, rival] = recordings.ask_notes(tmp_path)
    assert said["truth"] == [[0.5, 0.9, 69.0], [1.0, 1.5, 60.0]] and rival["value"] == []
    rows = list(recordings.ask_facts(tmp_path))
    beats = [row for row in rows if row["fact"] == "beats" and row["condition"] == TOOL]
    assert len(beats) == 3 and beats[0]["truth"] == [0.25, 0.75, 1.25, 1.75, 2.25, 2.75]
    assert {row["fact"] for row in rows if row["id"] == "audio/solo.wav"} == {"key"}
    [song] = recordings.read_songs(tmp_path)
    assert set(song.parts) == {"guitar", "backing"} and np.abs(song.audio.samples).max() > 0.1


def test_what_training_never_met_is_what_is_asked_for():
    stem_clips = pytest.importorskip("llark_py.training.stem_clips")
    assert stem_clips.UNSEEN == UNSEEN
    named = {family_of(name): stem_clips.stem_of(name) for name in INSTRUMENTS}
    assert {f: s for f, s in named.items() if s != "other"} == STEM_OF_FAMILY


def test_a_run_needs_its_manifest(tmp_path):
    with pytest.raises(ConfigError, match=r"no manifest\.jsonl"):
        tools.ask_all(None, None, Trial(2, real=tmp_path), AnswerBook(None, {}))
