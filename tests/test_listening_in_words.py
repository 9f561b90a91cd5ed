"""Listening asked of others than our models: everything in words, nothing twice, failures again."""

from __future__ import annotations

import json

import numpy as np
import pytest
from chat_server import ChatServer, Refusal, words
from test_published_models import tiny

from llark_py.__main__ import main
from llark_py.audio import Audio
from llark_py.benchmarks.answering_ear import AnsweringEar
from llark_py.benchmarks.answers import AnswerBook
from llark_py.benchmarks.clips import TEXT_ONLY, compose_clips
from llark_py.benchmarks.manner import MEASURED, in_words, ours, wording
from llark_py.benchmarks.qa import answerers, audio_models
from llark_py.benchmarks.qa.asking import InTurn, Said
from llark_py.benchmarks.qa.ledger import Ledger
from llark_py.benchmarks.questions import Item, ask, ask_by_condition, balanced_families, clip_item
from llark_py.benchmarks.scores import said_by, score_rows
from llark_py.errors import EndpointError
from llark_py.instruct.facts import FAMILY_WORDS

CONDITIONS = ("audio", "noise", TEXT_ONLY)


class Knowing(InTurn):
    """Knows recordings by their sound and says what is true of them; of others, nothing."""

    def __init__(self, items):
        self.settings = {"model": "knowing", "tools": []}
        self.known = {item.audio.content_hash: item.facts for item in items}
        self.asked, self.broken = [], set()

    def answer(self, prompt, audio):
        self.asked.append((prompt, None if audio is None else audio.content_hash))
        if prompt in self.broken:
            raise EndpointError("the endpoint is busy")
        facts = {} if audio is None else self.known.get(audio.content_hash, {})
        for name in ("style", "time_signature", "key"):
            if prompt.startswith(wording()[name]):
                return Said(f"It is {facts.get(name, 'nothing that I know')}.")
        if prompt.startswith(wording()["tempo"]):
            return Said(f"{facts['tempo']:.1f}" if facts else "I cannot tell.")
        named = [FAMILY_WORDS.get(f, f) for f in facts.get("instruments", ())]
        if prompt.startswith("Which of these"):
            return Said(", ".join(named) or "None.")
        if not facts:
            return Said("I cannot tell.")
        return Said("Yes." if any(word in prompt for word in named) else "No.")


@pytest.fixture(scope="module")
def items():
    return [clip_item(clip) for clip in compose_clips(4, "timgm", 2.0, "mixed")]


def value(scores, condition, name):
    return scores["clips"][condition][name].value


def test_who_hears_scores_one_in_words_and_nothing_without_the_sound(items):
    answerer = Knowing(items)
    ear = AnsweringEar(answerer, Ledger(None), with_choices=True)
    drawn = balanced_families(items, 0)
    rows = list(ask(ear, "clips", items, conditions=CONDITIONS, yes_no=drawn))
    scores = score_rows(rows, n_draws=5)
    for name in ("tempo_acc1", "key", "mode", "style", "time_signature", "family_macro_f1"):
        assert value(scores, "audio", name) == 1.0, name
        assert value(scores, TEXT_ONLY, name) == 0.0, name
    assert value(scores, "audio", "yes_no_macro") == 1.0
    assert value(scores, "audio", "unparsed") == 0.0
    assert value(scores, TEXT_ONLY, "unparsed") > 0.5
    # All in words: nothing is a tool's or a head's, which is no answer of who is asked.
    assert {row["condition"] for row in rows} == set(CONDITIONS)
    assert all("answer" in row and "value" not in row for row in rows)
    assert (None in {heard for _, heard in answerer.asked}) and ear.failed == 0


def test_others_are_told_what_to_choose_from_and_ours_are_asked_as_people_ask(items):
    others, plain = in_words(with_choices=True), in_words(with_choices=False)
    assert "bossa nova" in others.word("style") and "3/4" in others.word("time_signature")
    assert "klezmer" in others.word("style", styles=["klezmer"])
    for word in ("woodwinds", "singing", "piano"):
        assert word in others.word("instruments")
    assert "{" not in "".join(others.word(name, thing="piano") for name in others.questions)
    assert others.questions.keys() == plain.questions.keys() == ours().questions.keys()
    assert plain.word("style") == ours().word("style") == "What genre is this?"
    assert set(plain.spoken) == set(ours().spoken) | set(MEASURED)
    assert not plain.measured and not plain.has_tools


def test_nothing_is_asked_twice_and_failures_are_asked_again(items, tmp_path):
    def pieces(ear):
        return lambda: ask_by_condition(ear, "clips", items, conditions=CONDITIONS)

    def run(answerer):
        ear = AnsweringEar(answerer, Ledger(tmp_path / "asked.jsonl"), with_choices=True)
        return ear, AnswerBook(tmp_path, {}).pieces("clips", pieces(ear))

    answerer = Knowing(items)
    answerer.broken = {in_words(with_choices=True).word("key")}
    with pytest.raises(EndpointError, match="busy"):  # three times in a row
        run(answerer)
    answered = {asked for asked in answerer.asked if asked[0] not in answerer.broken}
    assert answered and not (tmp_path / "parts" / "clips.jsonl").exists()

    answerer.asked = []
    ear = AnsweringEar(answerer, Ledger(tmp_path / "asked.jsonl"), with_choices=True)
    rows = list(ask(ear, "clips", items[:2], conditions=["audio"]))
    assert ear.failed == 2 and {prompt for prompt, _ in answerer.asked} == answerer.broken
    failed = [row for row in rows if "failed" in row]
    assert [row["fact"] for row in failed] == ["key", "key"]
    assert all(row["answer"] == "" and said_by(row) is None for row in failed)

    answerer.asked, answerer.broken = [], set()
    ear, rows = run(answerer)
    assert ear.failed == 0 and not answered & set(answerer.asked)
    assert len(set(answerer.asked)) == len(answerer.asked) > 0
    assert (tmp_path / "parts" / "clips.jsonl").exists()
    answerer.asked = []
    _, same = run(answerer)
    assert answerer.asked == [] and same == rows


def test_a_part_with_failures_is_scored_but_not_kept(tmp_path):
    def make():
        yield "whole", lambda: [{"set": "clips", "answer": "a"}]
        yield "failed", lambda: [{"set": "clips", "answer": "", "failed": True}]

    book = AnswerBook(tmp_path, {})
    assert len(book.pieces("clips", make)) == 2 and len(book.rows) == 2
    names = [path.name for path in sorted((tmp_path / "parts").rglob("*"))]
    assert names == ["clips", "whole.jsonl"]
    assert AnswerBook(tmp_path, {}).rows == []


@pytest.mark.parametrize(
    ("fact", "answer", "said"),
    [
        ("tempo", "The tempo is about 120 BPM.", 120.0),
        ("tempo", "93.5", 93.5),
        ("tempo", "It has 4/4 and 128 beats per minute.", 128.0),
        ("tempo", "Between 100 BPM and 120 BPM.", None),
        ("tempo", "Fast.", None),
        ("key", "The key is F# minor.", "F# minor"),
        ("key", "C major or A minor.", None),
        ("key", "A lively song", None),
        ("tonic", "D", "D major"),
        ("tonic", "It is in Bb minor", "Bb minor"),
    ],
)
def test_tempo_and_key_are_read_out_of_words(fact, answer, said):
    assert said_by({"fact": fact, "answer": answer}) == said


def test_an_endpoint_is_asked_by_command_and_goes_on_after_failures(tmp_path, capsys, monkeypatch):
    # Two questions of a whole run are what this is about; the sets have tests of their own.
    tones = [
        Item(str(i), Audio(np.sin(np.arange(8000) * f).astype(np.float32), 16_000), {"tempo": 100})
        for i, f in enumerate((0.1, 0.2))
    ]

    def ask_two(ear, trial, book):
        book.pieces("clips", lambda: ask_by_condition(ear, "clips", tones, conditions=["audio"]))

    monkeypatch.setattr("llark_py.benchmarks.listening.ask_ear", ask_two)
    out = tmp_path / "out"
    with ChatServer().running() as server:
        command = ["evaluate", "listening", "--out", str(out), "--no-plots"]
        command += ["--endpoint", server.url, "--endpoint-model", "other"]
        server.replies += [words("100 BPM"), Refusal(400, '{"error": {"message": "too loud"}}')]
        assert main(command) == 1
        told = capsys.readouterr()
        assert "too loud" in told.err and "tempo_acc1 | 0.500" in told.out
        server.replies.append(words("It is 100."))
        assert main(command) == 0
        assert "tempo_acc1 | 1.000" in capsys.readouterr().out
        assert main([*command, "--rescore"]) == 0 and len(server.requests) == 3
    content = server.requests[0]["messages"][0]["content"]
    assert [part["type"] for part in content] == ["input_audio", "text"]
    run = json.loads((out / "run.json").read_text())
    assert (run["model"], run["words"], run["tools"]) == ("other", "with choices", [])
    assert "key" not in run and "no/run" not in str(run)


def test_another_audio_model_goes_through_the_whole_benchmark(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(audio_models, "_MAX_NEW_TOKENS", 2)
    monkeypatch.setattr("llark_py.benchmarks.songs._SECONDS", (6.0, 8.0))
    monkeypatch.setattr("llark_py.benchmarks.paraphrases.phrasings", lambda *_: ["What is it?"])
    model = tiny("qwen2_audio", tmp_path / "model")
    out = tmp_path / "out"
    command = ["evaluate", "listening", "--model", model, "--n", "2", "--seconds", "1.5"]
    assert main([*command, "--out", str(out), "--no-plots", "--no-blind"]) == 0
    assert "tempo_acc1 | 0.000" in capsys.readouterr().out
    rows = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
    sets = {row["set"] for row in rows}
    assert sets == {"clips", "voices", "sounds", "songs", "paraphrases"}
    asked = {row["condition"] for row in rows if "answer" in row}
    assert asked == {"audio"}
    assert {row["fact"] for row in rows if row["set"] == "clips"} >= {"tempo", "key"}
    assert list(out.glob("results_*.json")) and (out / "samples_listening_clips.jsonl").is_file()


def test_mini_without_tools_is_asked_plainly(monkeypatch, tmp_path):
    asked = {}

    def ear(ear, trial, book):
        asked["words"], asked["conditions"] = ear.manner.word("key"), trial.blind
        book.part("clips", lambda: ask(ear, "clips", [], conditions=[]))

    class Nobody:
        settings = {"model": "mini", "tools": []}

    monkeypatch.setattr("llark_py.benchmarks.listening.ask_ear", ear)
    monkeypatch.setattr("llark_py.benchmarks.listening.report", lambda *_: "report")
    monkeypatch.setattr(answerers, "open_answerer", lambda *_: Nobody())
    assert main(["evaluate", "listening", "--no-tools", "--out", str(tmp_path)]) == 0
    assert asked == {"words": "What key is it in?", "conditions": True}
    assert json.loads((tmp_path / "run.json").read_text())["words"] == "plain"


@pytest.mark.parametrize("model", ["answers:file.json", "blind"])
def test_there_are_no_published_answers_to_what_is_composed(model, capsys):
    assert main(["evaluate", "listening", "--model", model]) == 2
    told = capsys.readouterr().err
    assert f"no answers of '{model}'" in told and told.count("\n") == 1
