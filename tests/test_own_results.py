"""Results, samples, pages and comparisons of our own benchmarks, from answers made up here."""

from __future__ import annotations

import json
import re
import statistics

import pytest

from llark_py.benchmarks import listening, running, tools
from llark_py.benchmarks.answers import AnswerBook
from llark_py.benchmarks.qa.comparison import compare_runs
from llark_py.benchmarks.running import Run, run_benchmark
from llark_py.benchmarks.trial import Trial
from llark_py.cli import main
from llark_py.errors import ConfigError

STYLES = ["jazz", "rock", "jazz", "funk", "jazz", "rock"]
SETTINGS = {"benchmark": "listening", "model": "mini", "weights": "abc", **Trial(6).settings()}


def listening_rows(style, tempo=lambda truth: truth, yes="Yes."):
    """Rows about six clips: `style` and `tempo` say what is answered of a truth."""
    rows = []
    for i, truth in enumerate(STYLES):
        about = {"set": "clips", "id": f"clip-{i}"}
        for condition in ("audio", "noise"):
            own = condition == "audio"
            base = {**about, "condition": condition}
            asked = {"fact": "style", "asked": "style", "truth": truth, "question": "Style?"}
            rows.append({**base, **asked, "answer": style(truth) if own else "No idea."})
            for family in ("piano", "drums"):
                asked = {"fact": "yes_no", "asked": family, "truth": (i + len(family)) % 2 == 0}
                answer = yes or ("Yes." if asked["truth"] else "No.")
                rows.append(
                    {**base, **asked, "question": f"Is there any {family}?"} | {"answer": answer}
                )
            bpm = 100.0 + i
            value = {"value": tempo(bpm) if own else None, "confidence": 0.5}
            rows.append({**base, "fact": "tempo", "truth": bpm, **value})
        rows.append(
            {**about, "condition": "head", "fact": "style", "truth": truth, "value": "jazz"}
        )
    for i in range(4):  # of a pair, one is sung and one is not
        base = {"set": "voices", "id": f"voices-{i // 2}", "condition": "audio", "fact": "vocals"}
        asked = {"truth": i % 2 == 0, "asked": "vocals", "question": "Is anybody singing?"}
        rows.append({**base, **asked, "answer": "Yes."})
    for i, said in enumerate(["It is jazz.", "It is jazz.", "It is rock."]):
        base = {"set": "paraphrases", "id": "clip-0/0", "condition": "audio", "fact": "style"}
        rows.append({**base, "truth": "jazz", "question": f"Style {i}?", "answer": said})
    return rows


def tool_rows(shift_s=0.0):
    rows = []
    beats = [0.5 * i for i in range(1, 60)]
    chords = [[0.0, 15.0, "C:maj"], [15.0, 30.0, "A:min"]]
    for i in range(4):
        base = {"set": "clips", "id": f"clip-{i}", "duration_s": 30.0, "condition": "tool"}
        late = [t + shift_s * (i % 2) for t in beats]
        rows += [
            {**base, "fact": "beats", "truth": beats, "value": late, "confidence": 0.9},
            {**base, "fact": "chords", "truth": chords, "value": chords[: 1 + i % 2]},
            {**base, "fact": "instruments", "truth": ["bass", "piano"], "value": ["piano"]},
            {**base, "condition": "librosa", "fact": "beats", "truth": beats, "value": []},
        ]
        scores = {"fact": "separation", "what": "vocals", "truth": None}
        value = {"sdr": 5.0 - i, "si_sdr": 4.0, "snr": 3.0}
        rows.append({**base, "set": "mixes", **scores, "value": value, "confidence": 0.7})
    return rows


def right(truth):
    return f"It is {truth}."


def read_results(folder):
    [path] = folder.glob("results_*.json")
    return json.loads(path.read_text())


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_who_is_right_has_ones_in_results_and_samples(tmp_path):
    rows = listening_rows(right, yes="")
    text = listening.report(rows, SETTINGS, tmp_path, plots=False)
    assert (tmp_path / "report.md").read_text() == text + "\n"
    found = read_results(tmp_path)
    clips = found["results"]["listening_clips"]
    assert clips["style,strict"] == clips["tempo_acc1,strict"] == clips["yes_no,strict"] == 1.0
    assert clips["style_stderr,strict"] == 0.0 and clips["style_ci95,strict"] == [1.0, 1.0]
    assert (clips["style_n,strict"], clips["yes_no_n,strict"]) == (6, 12)
    assert clips["yes_no_stderr,strict"] == "N/A"  # a mean over sides, not over answers
    assert found["results"]["listening_clips/noise"]["style,strict"] == 0.0
    assert found["results"]["listening_clips/noise"]["unparsed,strict"] > 0.3
    assert found["group_subtasks"]["listening"] == [
        f"listening_{name}" for name in ("clips", "voices", "paraphrases")
    ]
    assert found["config"]["model_sha"] == "abc" and found["config"]["model_args"] == SETTINGS
    assert found["seeds"]["listening_clips"]["clips"] == 900_000_000
    assert found["config"]["bootstrap_seed"] and found["package_versions"]["numpy"]
    assert found["n-samples"]["listening_clips"] == {"original": 24, "effective": 24}

    lines = read_lines(tmp_path / "samples_listening_clips.jsonl")
    [line] = [s for s in lines if s["doc_id"] == "clip-1/style" and s["condition"] == "audio"]
    assert line["resps"] == ["It is rock."] and line["target"] == "rock"
    assert line["filtered_resps"] == {"strict": "rock"}
    assert line["metrics"] == {"strict": {"style": 1.0}} and line["arguments"] == ["Style?"]
    [line] = [s for s in lines if s["doc_id"] == "clip-1/tempo" and s["condition"] == "audio"]
    assert line["resps"] == [101.0] and line["confidence"] == 0.5
    assert {s["condition"] for s in lines} == {"audio", "noise", "head"}
    # The two of a pair have one name; they are two questions nevertheless.
    voices = read_lines(tmp_path / "samples_listening_voices.jsonl")
    assert len({s["doc_id"] for s in voices}) == 4 == len(voices)


def test_a_constant_answer_has_the_scores_of_the_constant(tmp_path):
    listening.report(listening_rows(lambda _: "It is jazz."), SETTINGS, tmp_path, plots=False)
    found = read_results(tmp_path)["results"]
    said, constant = found["listening_clips"], found["listening_clips/constant"]
    assert said["style,strict"] == constant["style,none"] == 0.5
    assert said["style_ci95,strict"] == constant["style_ci95,none"]
    assert said["yes_no,strict"] == constant["yes_no,none"] == 0.5
    assert found["listening_clips/head"]["style,none"] == 0.5


@pytest.mark.parametrize("benchmark", ["listening", "tools"])
def test_the_mean_of_single_scores_is_the_score(benchmark, tmp_path):
    if benchmark == "listening":
        rows = listening_rows(lambda t: "It is jazz.", lambda bpm: 2 * bpm if bpm > 102 else bpm)
        listening.report(rows, SETTINGS, tmp_path, plots=False)
    else:
        tools.report(tool_rows(0.2), {"benchmark": "tools"}, tmp_path, plots=False)
    results, compared = read_results(tmp_path)["results"], 0
    kept = json.loads((tmp_path / "scores.json").read_text())
    kept = kept["scores"]["clips"]["tool"] if benchmark == "tools" else kept["composed"]["audio"]
    reader = "none" if benchmark == "tools" else "strict"
    singles = {}
    for line in read_lines(tmp_path / f"samples_{benchmark}_clips.jsonl"):
        if line["condition"] == "audio":
            for name, value in line["metrics"][reader].items():
                singles.setdefault(name, []).append(value)
    for name, values in singles.items():
        found = results[f"{benchmark}_clips"][f"{name},{reader}"]
        assert found == pytest.approx(statistics.mean(values), abs=1e-6), name
        if name in kept:
            assert found == pytest.approx(kept[name]["value"], abs=1e-4), name
            compared += 1
    assert compared >= 3


def test_tools_are_told_beside_their_rivals(tmp_path):
    tools.report(tool_rows(), {"benchmark": "tools"}, tmp_path, plots=True)
    found = read_results(tmp_path)["results"]
    assert found["tools_clips"]["beats_f,none"] == 1.0
    assert found["tools_clips"]["family_f1_samples,none"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["tools_clips/librosa"]["beats_f,none"] == 0.0
    assert found["tools_mixes"]["sdr vocals,none"] == 3.5
    page = (tmp_path / "report.html").read_text()
    assert "<h1>Tools</h1>" in page and "<h2>Composed clips</h2>" in page
    # tools.png, reliability.png, and the primary score of two sets
    assert page.count('src="data:image/png;base64,') == 4
    assert not re.search(r'(?:src|href)="(?!data:)', page)


def test_the_page_shows_answers_as_text_and_those_that_were_not_read(tmp_path):
    rows = listening_rows(lambda _: "<script>alert(1)</script>")
    listening.report(rows, SETTINGS, tmp_path, plots=False)
    page = (tmp_path / "report.html").read_text()
    assert "&lt;script&gt;alert(1)" in page and "<script>" not in page and "<img" not in page
    assert "<h2>Families</h2>" in page and "Answers that could not be read" in page


# --- comparisons --------------------------------------------------------------------------------


def test_two_runs_of_our_own_are_compared_question_by_question(tmp_path, capsys):
    a, b = tmp_path / "a", tmp_path / "b"
    for folder, said in ((a, lambda _: "It is jazz."), (b, right)):
        folder.mkdir()
        listening.report(listening_rows(said), SETTINGS, folder, plots=False)
    rows = {(row.task, row.score): row for row in compare_runs(a, b)}
    style = rows["listening_clips", "style"]
    assert (style.first, style.second, style.n, style.test) == (0.5, 1.0, 6, "McNemar")
    assert style.p_value == pytest.approx(2 * 0.5**3)
    # Two questions about one clip are not two clips.
    yes_no = rows["listening_clips", "yes_no_acc"]
    assert (yes_no.n, yes_no.test, yes_no.p_value) == (12, "permutation", 1.0)
    assert rows["listening_clips", "tempo_acc1"].difference.value == 0.0
    assert main(["evaluate", "--compare", str(a), str(b)]) == 0
    assert "| listening_clips | strict | style | 6 | 0.500 | 1.000 | +0.500" in (
        capsys.readouterr().out
    )


def test_runs_of_other_sounds_are_not_paired(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    for folder, font in ((a, "timgm"), (b, "synth")):
        folder.mkdir()
        listening.report(
            listening_rows(right), {**SETTINGS, "soundfont": font}, folder, plots=False
        )
    with pytest.raises(ConfigError, match="were asked different questions"):
        compare_runs(a, b)


def test_two_runs_of_the_tools_are_compared(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    for folder, shift_s in ((a, 0.2), (b, 0.0)):
        folder.mkdir()
        tools.report(tool_rows(shift_s), {"benchmark": "tools"}, folder, plots=False)
    rows = {(row.task, row.score): row for row in compare_runs(a, b)}
    assert rows["tools_clips", "beats_f"].difference.value == pytest.approx(0.5)
    assert rows["tools_mixes", "sdr vocals"].difference.value == 0.0


@pytest.mark.parametrize(
    ("benchmark", "told"),
    [
        ("listening", r"without samples_\*\.jsonl.*evaluate listening --rescore --out"),
        ("tool_use", "'tool_use', which cannot be compared; runs of listening, tools"),
    ],
)
def test_a_run_without_samples_says_what_to_do(benchmark, told, tmp_path):
    AnswerBook(tmp_path, {"benchmark": benchmark})
    with pytest.raises(ConfigError, match=told):
        compare_runs(tmp_path, tmp_path)


def test_of_several_runs_one_is_to_be_named(tmp_path):
    for name in ("listening", "tools"):
        (tmp_path / name).mkdir()
        AnswerBook(tmp_path / name, {"benchmark": name})
    with pytest.raises(
        ConfigError, match=r"holds several runs; compare one of .*listening, .*tools"
    ):
        compare_runs(tmp_path, tmp_path)


# --- finished runs ------------------------------------------------------------------------------


def test_a_finished_run_of_an_older_version_gets_its_files_and_asks_nobody(tmp_path, monkeypatch):
    trial = Trial(6, out=tmp_path, thorough=True)
    settings = {**SETTINGS, **trial.settings()}
    book = AnswerBook(tmp_path, settings)
    book.part("clips-000000", lambda: listening_rows(right))
    for name in ("voices-000000", "sounds", "songs-000000", "paraphrases"):
        book.part(name, lambda: [])
    before = {path.name: path.read_bytes() for path in (tmp_path / "parts").iterdir()}
    monkeypatch.setattr(running, "_load", lambda model: (None, None))
    monkeypatch.setattr(running, "fingerprint", lambda model: "abc")

    def ask_all(model, processor, trial, book):
        listening.ask_ear(None, trial, book)  # nobody: to be asked is an error

    monkeypatch.setattr(listening, "ask_all", ask_all)
    run_benchmark(Run("listening", trial, workers=1))
    assert {path.name: path.read_bytes() for path in (tmp_path / "parts").iterdir()} == before
    assert read_results(tmp_path)["results"]["listening_clips"]["style,strict"] == 1.0
    assert (tmp_path / "samples_listening_clips.jsonl").is_file()
    assert (tmp_path / "report.html").is_file() and (tmp_path / "answers.jsonl").is_file()
    assert main(["evaluate", "--compare", str(tmp_path), str(tmp_path)]) == 0
