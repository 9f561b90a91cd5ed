"""Results, reports and comparisons of published benchmarks, and the command that makes them."""

from __future__ import annotations

import json
import re
import shutil
import sys

import numpy as np
import pytest
from chat_server import ChatServer, words
from published_data import make, muchomusic_file
from scipy.stats import binomtest

from llark_py import catalog
from llark_py.benchmarks.qa import captions
from llark_py.benchmarks.qa.asking import InTurn, Said
from llark_py.benchmarks.qa.comparison import compare_runs, holm, mcnemar, permute
from llark_py.benchmarks.qa.task import task_hash
from llark_py.cli import main

KEYS = ["F minor", "F minor", "C major", "Eb minor"]


class Parrot(InTurn):
    """Says one thing after another, whatever is asked."""

    def __init__(self, said, name="parrot"):
        self.settings = {"model": name, "tools": []}
        self._said, self.asked = said, 0

    def answer(self, prompt, audio):
        self.asked += 1
        return Said(self._said[(self.asked - 1) % len(self._said)])


@pytest.fixture
def evaluate(monkeypatch):
    """Run `llark evaluate` with somebody who answers; gives its exit code."""

    def run(answerer, *arguments):
        monkeypatch.setattr("llark_py.benchmarks.qa.answerers.open_answerer", lambda *_: answerer)
        return main(["evaluate", *map(str, arguments)])

    return run


@pytest.fixture
def data(tmp_path):
    for name in ("giantsteps_key", "song_describer", "rul_muchomusic"):
        make(name, tmp_path / "data")
    return tmp_path / "data"


def test_a_run_writes_results_samples_and_reports(evaluate, data, tmp_path, capsys):
    out = tmp_path / "results"
    tasks = ("giantsteps_key", "song_describer")
    assert evaluate(Parrot(KEYS), *tasks, "--data", data, "--out", out) == 0
    printed = capsys.readouterr().out
    assert "## giantsteps_key\n4 questions.\n" in printed
    assert "| audio | strict | 1.000 [1.000, 1.000] | 1.000 [1.000, 1.000] | 0.000 |" in printed
    assert (out / "report.md").read_text() == printed
    [path] = out.glob("results_*.json")
    results = json.loads(path.read_text())
    found = results["results"]["giantsteps_key"]
    assert found["alias"] == "giantsteps_key" and found["acc,strict"] == 1.0
    assert found["acc_stderr,strict"] == 0.0 and found["acc_ci95,lenient"] == [1.0, 1.0]
    assert found["unparsed,strict"] == 0.0 and found["missing,strict"] == 0
    most = results["results"]["giantsteps_key/most_frequent"]
    assert most["alias"] == " - most frequent" and most["acc,none"] == 0.5
    assert most["acc_stderr,none"] == pytest.approx(np.std([1, 1, 0, 0], ddof=1) / 2, abs=1e-6)
    assert results["results"]["song_describer"]["bleu_stderr,none"] == "N/A"
    assert set(results["group_subtasks"]["giantsteps_key"]) == {
        f"giantsteps_key/{row}"
        for row in ("noise", "silence", "other_recording", "text_only", "most_frequent")
    } | {"giantsteps_key/random", "giantsteps_key/any_key"}
    assert results["n-samples"]["giantsteps_key"] == {"original": 4, "effective": 4}
    assert results["versions"] == results["n-shot"] | dict.fromkeys(tasks, 1)
    assert results["config"]["model"] == "parrot"
    assert results["config"]["bootstrap_iters"] == 1000
    task = catalog.load("benchmarks.published", "giantsteps_key").TASK
    assert results["task_hashes"]["giantsteps_key"] == task_hash(task.read(data / task.name))
    assert results["package_versions"]["sacrebleu"] and results["transformers_version"]

    rows = [json.loads(x) for x in (out / "samples_giantsteps_key.jsonl").read_text().splitlines()]
    assert len(rows) == 5 * 4
    assert rows[0]["doc_id"] == "0.LOFI" and rows[0]["condition"] == "audio"
    assert rows[0]["resps"] == ["F minor"] and rows[0]["target"] == "F minor"
    assert rows[0]["filtered_resps"] == {"strict": "F minor", "lenient": "F minor"}
    assert rows[0]["metrics"]["strict"] == {"mirex": 1.0, "acc": 1.0}

    page = (out / "report.html").read_text()
    assert page.count('src="data:image/png;base64,') == 2
    assert not re.search(r'(?:src|href)="(?!data:)', page)


def test_the_page_shows_answers_as_text(evaluate, data, tmp_path):
    out = tmp_path / "results"
    said = Parrot(["<script>alert(1)</script>"])
    evaluate(said, "giantsteps_key", "--data", data, "--out", out, "--no-plots", "--no-blind")
    page = (out / "report.html").read_text()
    assert "&lt;script&gt;alert(1)" in page and "<script>" not in page and "<img" not in page
    assert said.asked == 4 and "unparsed | 1.000" not in page


def test_rescoring_asks_nobody_and_another_model_is_refused(evaluate, data, tmp_path, capsys):
    out = tmp_path / "results"
    arguments = ("giantsteps_key", "--data", data, "--out", out)
    evaluate(Parrot(KEYS), *arguments, "--limit", 2)
    before = capsys.readouterr().out
    silent = Parrot([], "nobody")
    assert evaluate(silent, *arguments, "--limit", 2, "--rescore") == 0
    assert capsys.readouterr().out == before and silent.asked == 0
    assert evaluate(silent, *arguments) == 2
    assert "answers of another run (other: model)" in capsys.readouterr().err
    assert evaluate(silent, "giantsteps_key", "--rescore", "--out", tmp_path / "no") == 2
    assert "needs --data" in capsys.readouterr().err


def test_answers_of_others_are_scored_without_data(evaluate, tmp_path, capsys):
    path = muchomusic_file(tmp_path / "out.json")
    out = tmp_path / "results"
    said = ("muchomusic", "--model", f"answers:{path}", "--out", out)
    assert evaluate(None, *said) == 0
    assert re.search(r"\| audio \| official \| 0\.600 \[.*\] \| 0\.200 \|", capsys.readouterr().out)
    assert json.loads((out / "run.json").read_text())["model"] == f"answers:{path}"
    assert evaluate(None, "muchomusic", "--model", "answers:no.json") == 2
    assert "there is no file of answers at no.json" in capsys.readouterr().err


def test_rows_without_a_model_need_neither_model_nor_recordings(evaluate, data, tmp_path, capsys):
    out = tmp_path / "results"
    shutil.rmtree(data / "rul_muchomusic" / "audio")
    blind = ("rul_muchomusic", "giantsteps_key", "--data", data, "--model", "blind")
    assert evaluate(None, *blind, "--out", out) == 0
    printed = capsys.readouterr().out
    assert "| shortest | none | 0.312 [" in printed and "| audio |" not in printed
    [path] = out.glob("results_*.json")
    found = json.loads(path.read_text())["results"]
    assert found["rul_muchomusic/shortest"]["acc,none"] == 0.3125
    assert "rul_muchomusic" not in found and not list(out.glob("samples_*"))
    assert (out / "report.html").read_text().count("<img") == 2


def test_failed_questions_are_told_by_the_exit_code(evaluate, data, tmp_path):
    broken = data / "giantsteps_key" / "audio" / "0.LOFI.wav"
    broken.write_bytes(b"no sound")
    assert evaluate(Parrot(KEYS), "giantsteps_key", "--data", data, "--no-blind") == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["muchomusi"], "Did you mean 'muchomusic'"),
        (["muchomusic"], "'muchomusic' needs --data FOLDER. Get muchomusic.csv"),
        (["tool_use", "--tools"], "'tool_use' takes neither --endpoint nor --tools"),
        (["muchomusic", "--judge", "http://x/v1"], "--judge URL and --judge-model NAME"),
        (["muchomusic", "--compare", "a", "b"], "name no task"),
        (["--compare", "a", "b"], "have no task in common"),
        (["muchomusic", "--endpoint", "http://x/v1"], "go together"),
        (["listening", "tool_use", "--rescore", "--out", "no"], "no/listening holds no answers"),
    ],
)
def test_what_cannot_work_is_one_line(arguments, complaint, capsys):
    assert main(["evaluate", *arguments]) == 2
    told = capsys.readouterr().err
    assert complaint in told and told.count("\n") == 1


def test_what_scores_captions_is_missed_before_anything_is_asked(
    evaluate, data, monkeypatch, capsys
):
    captions._metrics.cache_clear()
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics.bleu", None)
    nobody = Parrot([])
    assert evaluate(nobody, "song_describer", "--data", data) == 2 and nobody.asked == 0
    assert "pip install 'llark_py[evaluate]'" in capsys.readouterr().err


# --- comparisons --------------------------------------------------------------------------------


def test_two_runs_are_compared_question_by_question(evaluate, data, tmp_path, capsys):
    tasks = ("giantsteps_key", "rul_muchomusic", "--data", data, "--no-blind", "--no-plots")
    a, b = tmp_path / "a", tmp_path / "b"
    evaluate(Parrot(["G# major"]), *tasks, "--out", a)
    evaluate(Parrot([*KEYS, *["[[A]]"] * 8]), *tasks, "--out", b)
    capsys.readouterr()
    rows = {(row.task, row.reader, row.score): row for row in compare_runs(a, b)}
    keys = rows["giantsteps_key", "strict", "acc"]
    assert (keys.first, keys.second, keys.n) == (0.0, 1.0, 4)
    assert keys.test == "McNemar" and keys.p_value == pytest.approx(2 * 0.5**4)
    assert rows["giantsteps_key", "strict", "mirex"].test == "permutation"
    # Four answers of one item are no four items.
    assert rows["rul_muchomusic", "strict", "acc"].test == "permutation"
    assert main(["evaluate", "--compare", str(a), str(b)]) == 0
    assert "| giantsteps_key | strict | acc | 4 | 0.000 | 1.000 | +1.000" in capsys.readouterr().out
    samples = b / "samples_giantsteps_key.jsonl"
    samples.write_text(samples.read_text().replace('"doc_hash": "', '"doc_hash": "x'))
    assert main(["evaluate", "--compare", str(a), str(b)]) == 2
    assert "the runs were asked different questions" in capsys.readouterr().err


def test_a_judge_compares_the_captions_of_two_runs(evaluate, data, tmp_path, capsys):
    tasks = ("song_describer", "--data", data, "--no-blind", "--no-plots")
    a, b = tmp_path / "a", tmp_path / "b"
    evaluate(Parrot(["worse"]), *tasks, "--out", a)
    evaluate(Parrot(["better"]), *tasks, "--out", b)
    with ChatServer().running() as server:
        server.replies += [words("1"), words("2")] * 2
        judge = ["--judge", server.url, "--judge-model", "j"]
        for _ in range(2):
            assert main(["evaluate", "--compare", str(a), str(b), *judge]) == 0
            assert f"preferred {b} over {a}: 1.000 [1.000, 1.000]" in capsys.readouterr().out
        assert "Description 1: better" in server.requests[0]["messages"][0]["content"]


def test_significance_is_that_of_the_tests_by_name():
    first = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], float)
    second = np.array([0, 1, 1, 1, 1, 1, 1, 1, 1, 0], float)
    assert mcnemar(first, second) == pytest.approx(binomtest(1, 7).pvalue)
    assert mcnemar(first, first) == 1.0
    # Three recordings: of the 8 ways to change signs, two are as far apart.
    assert permute(np.array([0.1, 0.2, 0.3]), ["a", "b", "c"]) == pytest.approx(2 / 8)
    # Differences of one recording change sign together.
    assert permute(np.array([0.1, 0.2, 0.3]), ["a", "a", "b"]) == pytest.approx(2 / 4)
    assert permute(np.zeros(3), ["a", "b", "c"]) == 1.0
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, 200)
    assert permute(noise, list(map(str, range(200)))) > 0.05
    assert permute(noise + 0.5, list(map(str, range(200)))) < 0.001


def test_several_tests_are_corrected_together():
    assert holm([0.04, 0.01, 0.03]) == [False, True, False]
    assert holm([0.01, 0.02, 0.03]) == [True, True, True]
