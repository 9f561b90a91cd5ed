"""Runs of published benchmarks: nothing is asked twice, blind rows, who answers, judges."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from chat_server import ChatServer, Refusal, words
from published_data import make, say

from llark_py import catalog
from llark_py.assistant.chat_api import ChatApi
from llark_py.benchmarks.qa.answer_files import read_answer_file
from llark_py.benchmarks.qa.answerers import HearingEndpoint, weights_hash, write_wav
from llark_py.benchmarks.qa.asking import InTurn, Said, ask_all
from llark_py.benchmarks.qa.judge import judge_pairs
from llark_py.benchmarks.qa.ledger import Ledger
from llark_py.benchmarks.qa.run import Plan, ask_task
from llark_py.benchmarks.qa.sounds import BLIND, Sounds
from llark_py.errors import AudioError, ConfigError, EndpointError


def asked(question, condition="audio"):
    return Sounds([question]).asked(question, condition)


def task_of(name):
    return catalog.load("benchmarks.published", name).TASK


class Clerk(InTurn):
    """Answers right where it hears the recording, else nothing that can be read; counts."""

    settings = {"model": "clerk", "tools": []}

    def __init__(self, questions, name):
        self.asked = 0
        self._right = {q.excerpt.load().content_hash: say(q, q.target, name) for q in questions}

    def answer(self, prompt, audio):
        self.asked += 1
        heard = None if audio is None else audio.content_hash
        return Said(self._right.get(heard, "I cannot tell."), (("estimate_key", {"a": 1}),))


@pytest.fixture
def keys(tmp_path):
    """The made-up key benchmark: its task, questions and plan."""
    task = task_of("giantsteps_key")
    root = make("giantsteps_key", tmp_path / "data")
    plan = Plan(root, tmp_path / "out")
    plan.out.mkdir()
    return task, task.read(root / "giantsteps_key"), plan


def test_a_killed_run_goes_on_and_asks_nothing_twice(keys):
    task, questions, plan = keys
    clerk = Clerk(questions, task.name)

    class Killed(Clerk):
        def answer(self, prompt, audio):
            if self.asked == 7:
                raise KeyboardInterrupt
            return super().answer(prompt, audio)

    killed = Killed(questions, task.name)
    with pytest.raises(KeyboardInterrupt):
        ask_task(task, plan, killed)
    path = plan.out / "answers_giantsteps_key.jsonl"
    with path.open("a") as file:
        file.write('{"id": "3.LOFI", "cond')  # killed in the middle of a line
    run, failed = ask_task(task, plan, clerk)
    rows = 1 + len(BLIND)
    assert failed == 0 and killed.asked + clerk.asked == rows * len(questions) == 20
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len({(line["id"], line["condition"]) for line in lines}) == len(lines) == 20
    assert run.table["audio"]["strict"].scores["acc"].value == 1.0
    again, _ = ask_task(task, plan, clerk)
    assert clerk.asked == 13 and again.table.keys() == run.table.keys()
    rescored, _ = ask_task(task, plan, None)
    assert rescored.said == run.said


def test_an_answer_file_cut_anywhere_loses_at_most_the_line_that_was_cut(keys):
    _, questions, plan = keys
    path = plan.out / "answers.jsonl"
    ledger = Ledger(path)
    for question in questions:
        ledger.add(asked(question), {"answer": "é " + question.id})
    whole = path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(0, len(whole), 7):
        path.write_bytes(whole[:cut])
        again = Ledger(path)
        kept = [q.id for q in questions if again.answer(asked(q))]
        assert kept == [q.id for q in questions[: sum(end <= cut for end in ends)]]
        again.add(asked(questions[-1]), {"answer": "new"})
        assert Ledger(path).answer(asked(questions[-1]))["answer"] == "new"


def test_another_question_of_the_same_id_is_asked_anew(keys):
    _, questions, plan = keys
    ledger = Ledger(plan.out / "answers.jsonl")
    ledger.add(asked(questions[0]), {"answer": "C major"})
    corrected = replace(questions[0], target="G major", categories={"style": ("techno",)})
    assert ledger.answer(asked(corrected))["answer"] == "C major"
    changed = replace(questions[0], prompt="And the key?")
    assert ledger.answer(asked(questions[0])) and ledger.answer(asked(changed)) is None
    assert ledger.is_outdated(asked(changed)) and not ledger.is_outdated(asked(questions[1]))
    (plan.out / "broken.jsonl").write_text('{"id": 1}\n{"x"\n')
    with pytest.raises(ConfigError, match="line 1 cannot be read"):
        Ledger(plan.out / "broken.jsonl")


def test_blind_rows_hear_something_else_and_score_what_is_guessed(keys):
    task, questions, plan = keys
    run, _ = ask_task(task, plan, Clerk(questions, task.name))
    for row in ("noise", "silence", "text only"):
        assert run.table[row]["strict"].unparsed == 1.0
    # Keys F minor, F minor, C major, Eb minor: half of the set away, none has the same.
    assert run.table["other recording"]["strict"].values == [
        "C major",
        "Eb minor",
        "F minor",
        "F minor",
    ]
    assert run.table["other recording"]["strict"].scores["acc"].value == 0.0
    sounds = Sounds(questions)
    own = sounds.sound(questions[0], "audio")
    noise = sounds.sound(questions[0], "noise")
    assert noise.n_samples == own.n_samples and noise != own
    assert noise == Sounds(questions).sound(questions[0], "noise")
    assert noise != sounds.sound(questions[1], "noise")
    assert not sounds.sound(questions[0], "silence").samples.any()
    assert sounds.sound(questions[0], "text only") is None
    assert "other recording" not in Sounds(questions[:1]).conditions


def test_failures_are_told_counted_wrong_and_tried_again(keys, capsys):
    task, questions, plan = keys

    class Deaf(Clerk):
        def answer(self, prompt, audio):
            if audio is not None and audio == questions[1].excerpt.load():
                raise AudioError("too short\nto hear")
            return super().answer(prompt, audio)

    plan = Plan(plan.data, plan.out, blind=False)
    run, failed = ask_task(task, plan, Deaf(questions, task.name))
    assert failed == 1 and "1.LOFI: too short to hear" in capsys.readouterr().err
    column = run.table["audio"]["strict"]
    assert column.scores["acc"].value == 3 / 4 and column.missing == 1
    assert set(run.table) == {"audio", "most frequent", "random", "any key"}
    healed = Clerk(questions, task.name)
    run, failed = ask_task(task, plan, healed)
    assert (failed, healed.asked) == (0, 1)
    assert run.table["audio"]["strict"].missing == 0


def test_recordings_that_are_not_there_are_left_out_and_counted(keys, capsys):
    task, questions, plan = keys
    questions[0].excerpt.path.unlink()
    run, _ = ask_task(task, plan, Clerk(questions[1:], task.name))
    assert (run.n_original, len(run.questions)) == (4, 3)
    assert "the recordings of 1 questions are not there" in capsys.readouterr().err
    for question in questions[1:]:
        question.excerpt.path.unlink()
    with pytest.raises(ConfigError, match=r"no recording is there, such as .*0\.LOFI.*audio_dl"):
        ask_task(task, plan, Clerk([], task.name))


# --- others that answer -------------------------------------------------------------------------


def test_an_endpoint_is_sent_the_sound_and_its_words_are_kept(keys):
    _, questions, _ = keys
    with ChatServer().running() as server:
        server.replies += [words("F ", "minor")] * 4 + [words("C major")]
        answerer = HearingEndpoint(ChatApi(server.url, "ears"))
        ledger = Ledger(None)
        assert ask_all("t", questions, answerer, ledger, blind=False) == 0
        assert answerer.answer("No sound", None).text == "C major"
    request = server.requests[0]
    sound, text = request["messages"][0]["content"]
    assert text == {"type": "text", "text": questions[0].prompt}
    assert sound["type"] == "input_audio" and sound["input_audio"]["format"] == "wav"
    assert request["model"] == "ears" and request["temperature"] == 0
    assert [item["type"] for item in server.requests[-1]["messages"][0]["content"]] == ["text"]
    assert ledger.answer(asked(questions[3]))["answer"] == "F minor"
    assert answerer.settings == {"model": "ears", "endpoint": server.url, "tools": []}


def test_what_is_sent_is_the_recording_mono_and_no_finer_than_24_khz(keys):
    import io

    import soundfile

    from llark_py.audio import Audio

    tone = np.sin(np.arange(48_000) / 48_000 * 2 * np.pi * 440) * 0.5
    samples, rate = soundfile.read(io.BytesIO(write_wav(Audio(np.stack([tone, tone]), 48_000))))
    assert (rate, samples.shape) == (24_000, (24_000,))
    assert np.abs(samples[1000:-1000] - tone[::2][1000:-1000]).max() < 1e-3


def test_an_endpoint_that_is_down_stops_the_run_and_burns_no_more_than_two_questions(keys):
    _, questions, plan = keys
    refusal = Refusal(status=400, body='{"error": "no"}')
    with ChatServer().running() as server:
        server.replies += [refusal] * 3 + [words("F minor")] * 4
        answerer = HearingEndpoint(ChatApi(server.url, "ears"))
        ledger = Ledger(plan.out / "answers.jsonl")
        with pytest.raises(EndpointError, match="400"):
            ask_all("t", questions, answerer, ledger, blind=False)
        assert ledger.failure(asked(questions[0])) and not ledger.answer(asked(questions[0]))
        assert ask_all("t", questions, answerer, ledger, blind=False) == 0
    assert server.replies == []


def test_json_lines_of_ids_and_answers_are_scored(keys, tmp_path):
    task, questions, _ = keys
    path = tmp_path / "said.jsonl"
    lines = [{"id": "0.LOFI", "answer": "F minor"}, {"doc_id": "1.LOFI", "resps": ["D major"]}]
    lines.append({"doc_id": "2.LOFI", "resps": ["C major"], "condition": "noise"})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found, said = read_answer_file(task, path, lambda: questions)
    assert found == questions and said == {"0.LOFI": "F minor", "1.LOFI": "D major"}
    path.write_text('{"id": "9.LOFI", "answer": "F minor"}\n')
    with pytest.raises(ConfigError, match=r"answers '9\.LOFI', which is no question of giantsteps"):
        read_answer_file(task, path, lambda: questions)
    path.write_text('{"id": "0.LOFI"}\n')
    with pytest.raises(ConfigError, match="item 1: expected an object with an id"):
        read_answer_file(task, path, lambda: questions)


def test_weights_are_told_apart(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"a" * 3_000_000)
    first = weights_hash(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"a" * 2_999_999 + b"b")
    assert weights_hash(tmp_path) != first
    assert weights_hash(tmp_path / "hub" / "name") is None


# --- the judge ----------------------------------------------------------------------------------


def test_a_judge_is_asked_in_both_orders_and_only_once(tmp_path):
    task = task_of("song_describer")
    questions = task.read(make("song_describer", tmp_path) / "song_describer")
    ours = {"5": "mine five", "6": "mine six"}
    theirs = {"5": "other five", "6": "other six"}
    path = tmp_path / "judge.jsonl"
    with ChatServer().running() as server:
        # Song 5: first, then second when swapped (kept). Song 6: first both times (not kept).
        server.replies += [words("1"), words("2."), words("Description 1"), words("1")]
        api = ChatApi(server.url, "judge")
        found = judge_pairs(api, questions, ours, theirs, Ledger(path))
        again = judge_pairs(api, questions, ours, theirs, Ledger(path))
    assert found == again and len(server.requests) == 4
    assert found["preferred"].value == pytest.approx((1 + 0.5) / 2)
    assert found["order_kept"].value == 0.5
    first, second = (r["messages"][0]["content"] for r in server.requests[:2])
    assert first.index("mine five") < first.index("other five")
    assert second.index("other five") < second.index("mine five")
    assert all(caption in first for caption in questions[0].target)


def test_no_caption_loses_and_no_verdict_is_left_out(tmp_path):
    task = task_of("song_describer")
    questions = task.read(make("song_describer", tmp_path) / "song_describer")
    with ChatServer().running() as server:
        server.replies += [words("both are fine"), words("2")]
        api = ChatApi(server.url, "judge")
        theirs = {"5": "a", "6": "b"}
        found = judge_pairs(api, questions, {"5": None, "6": "mine"}, theirs, Ledger(None))
        assert found["preferred"].value == 0.0 and found["preferred"].n == 1
        server.replies.append(Refusal(status=400, body="no"))
        with pytest.raises(EndpointError, match="400"):
            judge_pairs(api, questions[:1], {"5": "x"}, {"5": "y"}, Ledger(None))
