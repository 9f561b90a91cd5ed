"""Runs of the benchmarks with an ear that knows the truth: asked, kept, gone on with, told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from llark_py.assistant.core import Answer
from llark_py.audio import Audio, save_audio
from llark_py.benchmarks import listening, typed
from llark_py.benchmarks.answers import AnswerBook, read_run
from llark_py.benchmarks.clips import Clip, compose_clips
from llark_py.benchmarks.heads import HeadAnswer, HeardForm
from llark_py.benchmarks.listening_report import summarise
from llark_py.benchmarks.manner import ours, wording
from llark_py.benchmarks.paraphrases import N_PHRASINGS, phrasings, score_paraphrases
from llark_py.benchmarks.questions import Item, ask, balanced_families, clip_item
from llark_py.benchmarks.real import facts_of, read_real
from llark_py.benchmarks.songs import ask_songs, boundaries_of, late_entrance
from llark_py.benchmarks.trial import Trial
from llark_py.benchmarks.typed_questions import Question, read_questions
from llark_py.commands.evaluate import evaluate
from llark_py.errors import ConfigError
from llark_py.instruct.facts import FAMILY_WORDS
from llark_py.messages import Message, TextPart, ToolCall, ToolResult
from llark_py.track import Instrument, Section, Track

TYPED = Path(__file__).parent / "questions" / "typed.yaml"


class Oracle:
    """Knows the recordings it was shown, by their sound; hears nothing in others."""

    sample_rate = 16_000
    manner = ours()

    def __init__(self, items=()):
        self.known = {item.audio.content_hash: item.facts for item in items}
        self.asked = 0

    def hear(self, sounds):
        return [{} if s is None else self.known.get(s.content_hash, {}) for s in sounds]

    def answer(self, heard, questions):
        self.asked += len(questions)
        names = {text: name for name, text in wording().items()}
        return [self._say(f, q, names.get(q)) for f, q in zip(heard, questions, strict=True)]

    def consult(self, sound, question):
        return self.answer(self.hear([sound]), [question])[0]

    def _say(self, facts, question, name):
        if name == "instruments":
            return ", ".join(facts.get("instruments", ())) or "I cannot tell."
        if name in ("is_music", "what"):
            return "That is noise, not music." if facts.get("not_music") else "It is music."
        if name == "vocals":
            return "Yes." if facts.get("vocals") else "No, it is instrumental."
        if question.startswith("Is there any"):
            words = [FAMILY_WORDS.get(f, f) for f in facts.get("instruments", ())]
            return "Yes." if any(word in question for word in words) else "No."
        return str(facts.get(name, "I cannot tell."))

    def measure(self, tool, sound):
        facts = self.known.get(sound.content_hash)
        if facts is None:
            return {"error": "the recording does not sound like music"}
        if tool == "estimate_tempo":
            return {"tempo_bpm": facts.get("tempo"), "confidence": 0.9}
        return {"key": facts.get("key") or f"{facts.get('tonic', 'C')} major", "confidence": 0.8}

    def heads(self, sound):
        facts = self.known.get(sound.content_hash, {})
        families = facts.get("instruments", [])
        found = {"instruments": HeadAnswer(families, None, dict.fromkeys(families, 0.9))}
        if "style" in facts:
            found["style"] = HeadAnswer(facts["style"], 0.7)
        return found

    def form(self, sound):
        return HeardForm([30.0], {"drums": 12.0})


@pytest.fixture(scope="module")
def items():
    return [clip_item(clip) for clip in compose_clips(4, "timgm", 2.0, "mixed")]


def scores(summary, condition, part="composed"):
    return {name: e["value"] for name, e in summary[part][condition].items()}


def test_who_knows_the_truth_scores_one_and_nothing_in_noise(items):
    drawn = balanced_families(items, 0)
    rows = list(ask(Oracle(items), "clips", items, yes_no=drawn))
    summary = summarise(rows, n_draws=10)
    heard = scores(summary, "audio")
    assert heard.pop("unparsed") == 0.0 and set(heard.values()) == {1.0}, heard
    noise = scores(summary, "noise")
    assert noise["tempo_acc1"] == noise["style"] == noise["family_macro_f1"] == 0.0
    assert noise["yes_no_macro"] == 0.5
    assert scores(summary, "other clip")["key"] < 1.0
    assert scores(summary, "head")["yes_no_macro"] == scores(summary, "head")["style"] == 1.0
    assert summary["reliability"]["clips: tool tempo"]["ece"] == pytest.approx(0.1)
    assert summary["reliability"]["clips: head style"]["ece"] == pytest.approx(0.3)
    assert sum(summary["families"].values()) == sum(len(i.facts["instruments"]) for i in items)


def test_a_run_goes_on_where_it_was_cut_off_and_is_scored_again(tmp_path):
    trial = Trial(4, out=tmp_path, seconds=1.5)
    settings = {"benchmark": "listening", **trial.settings()}

    class CutOff(Oracle):
        def answer(self, heard, questions):
            if wording()["vocals"] in questions:
                raise KeyboardInterrupt
            return super().answer(heard, questions)

    with pytest.raises(KeyboardInterrupt):
        listening.ask_ear(CutOff(), trial, AnswerBook(tmp_path, settings))
    kept = sorted(p.name for p in (tmp_path / "parts").iterdir())
    assert kept == ["clips-000000.jsonl"]
    before = (tmp_path / "parts" / kept[0]).read_bytes()

    book = AnswerBook(tmp_path, settings)
    listening.ask_ear(Oracle(), trial, book)
    book.close()
    assert (tmp_path / "parts" / kept[0]).read_bytes() == before
    silent = Oracle()
    listening.ask_ear(silent, trial, AnswerBook(tmp_path, settings))
    assert silent.asked == 0
    assert {row["set"] for row in book.rows} == {"clips", "voices", "sounds"}

    found, again = read_run(tmp_path)
    assert found == settings and again.rows == book.rows
    text = listening.report(again.rows, found, tmp_path, plots=False)
    assert (tmp_path / "report.md").read_text() == text + "\n"
    assert json.loads((tmp_path / "scores.json").read_text())["run"] == settings
    lines = (tmp_path / "answers.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == book.rows


def test_answers_of_another_run_are_not_mixed_in(tmp_path):
    AnswerBook(tmp_path, Trial(4).settings())
    with pytest.raises(ConfigError, match=r"another run \(other: n, skip\)"):
        AnswerBook(tmp_path, Trial(5, skip=4).settings())
    with pytest.raises(ConfigError, match=r"no run\.json"):
        read_run(tmp_path / "nowhere")


def test_rescoring_by_command_asks_no_model(tmp_path, monkeypatch, capsys):
    settings = {"benchmark": "listening", "model": "mini", **Trial(2).settings()}
    book = AnswerBook(tmp_path, settings)
    clip_items = [clip_item(clip) for clip in compose_clips(2, "timgm", 1.5, "own")]
    book.part("clips-000000", lambda: ask(Oracle(clip_items), "clips", clip_items))
    monkeypatch.setattr("llark_py.benchmarks.running._load", None)
    evaluate(out=tmp_path, rescore=True)
    assert "| style_macro | 1.000 [1.000, 1.000] |" in capsys.readouterr().out
    for name in ("reliability.png", "families.png", "styles.png", "styles_head.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG"), name
        assert f"({name})" in (tmp_path / "report.md").read_text()
    with pytest.raises(ConfigError, match="holds answers of 'listening'"):
        evaluate(["tool_use"], out=tmp_path, rescore=True)


def test_what_cannot_work_is_told_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("llark_py.benchmarks.running._load", None)
    with pytest.raises(ConfigError, match=r"no manifest\.jsonl"):
        evaluate(real=tmp_path)
    with pytest.raises(ConfigError, match="--rescore needs --out"):
        evaluate(rescore=True)
    with pytest.raises(LookupError, match="Did you mean 'mixed'"):
        evaluate(instruments="mixd")
    with pytest.raises(ConfigError, match="no file of questions"):
        evaluate(["typed"], questions=tmp_path / "none.yaml")


# --- real recordings ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "facts"),
    [
        ({"not_music": True, "content": "rain"}, {"not_music": True, "kind": "rain"}),
        (
            {"tempo_bpm": 150, "stem": "mix", "genre": "metal", "instruments": ["electric guitar"]},
            {"not_music": False, "tempo": 150.0, "style": "metal", "instruments": ["guitar"]},
        ),
        (
            {"key": "E minor", "key_dsp": "C major", "tempo_bpm_dsp": 99.0, "has_vocals": False},
            {"not_music": False, "key": "E minor", "vocals": False},
        ),
        (
            {"key_center": "F", "instruments": ["trumpet"]},
            {"not_music": False, "tonic": "F", "instruments": ["brass"], "vocals": False},
        ),
        (
            {"instruments": ["voice"], "genre": "Silent Film Score"},
            {"not_music": False, "instruments": ["voice"], "vocals": True},
        ),
        ({"instruments": ["theremin", "piano"]}, {"not_music": False}),
        (
            {"instruments": ["tabla"]},
            {"not_music": False, "instruments": ["drums"], "vocals": False},
        ),
    ],
)
def test_only_what_a_source_states_is_asked(stated, facts):
    assert facts_of(stated) == facts


def test_a_folder_of_recordings_is_asked_about(tmp_path):
    rng = np.random.default_rng(0)
    lines = []
    for name, facts in {"a.wav": {"tempo_bpm": 90}, "b.wav": {"not_music": True}}.items():
        save_audio(Audio(rng.normal(0, 0.1, 8000).astype(np.float32), 16_000), tmp_path / name)
        lines.append(json.dumps({"file": name, "facts": facts}))
    (tmp_path / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    read = read_real(tmp_path)
    assert [item.id for item in read] == ["a.wav", "b.wav"]
    rows = list(ask(Oracle(read), "real", read, conditions=("audio", "noise")))
    found = scores(summarise(rows, n_draws=5), "audio", "real")
    assert found["tempo_acc1"] == found["not_music"] == found["music"] == 1.0
    assert not any(row["fact"] in ("key", "style", "vocals") for row in rows)
    (tmp_path / "manifest.jsonl").write_text('{"file": "a.wav"}\n')
    with pytest.raises(ConfigError, match="line 1: not a recording with facts"):
        read_real(tmp_path)


def test_controls_of_a_recording_with_other_facts_are_measured_too():
    def tone(f):
        return Audio(np.sin(np.arange(8000) * f).astype(np.float32), 16_000)

    pair = [Item("a", tone(0.1), {"tempo": 100.0}), Item("b", tone(0.2), {"key": "C major"})]
    rows = list(ask(Oracle(pair), "real", pair, conditions=("audio", "other clip")))
    values = {(r["id"], r["condition"]): r["value"] for r in rows}
    assert values["a", "audio"] == 100.0 and values["a", "other clip"] is None


# --- songs and paraphrases ----------------------------------------------------------------------


def song(number: int) -> Clip:
    track = Track(
        id=f"song-{number}",
        duration_s=60.0,
        genre="jazz",
        time_signature="3/4",
        instruments=(
            Instrument("piano", "piano", "chords", ((0.0, 60.0),)),
            Instrument("drums", "drums", "drums", ((12.0 + number, 60.0),)),
        ),
        sections=(Section(0, 30, "verse"), Section(30, 60, "chorus")),
    )
    samples = np.random.default_rng(number).normal(0, 0.1, 16_000).astype(np.float32)
    return Clip(track, Audio(samples, 16_000))


def test_songs_are_asked_for_their_form_and_who_comes_in():
    songs = [song(0), song(8)]
    assert boundaries_of(songs[0].track) == [30.0]
    assert late_entrance(songs[0].track).name == "drums"

    class Formal(Oracle):
        def answer(self, heard, questions):
            said = {wording()["form"]: "Verse until 0:29, then the chorus."}
            return [said.get(q, "At 0:12.") for q in questions]

        def consult(self, sound, question):
            return "I find a verse at 0:00." if "come in" not in question else "At 0:20."

    summary = summarise(list(ask_songs(Formal(), songs)), n_draws=5)
    assert scores(summary, "audio") == {"entrance_3s": 0.5, "form_f": 1.0}
    assert scores(summary, "head") == {"entrance_3s": 0.5, "form_f": 1.0}
    assert scores(summary, "with tools") == {"entrance_3s": 0.5, "form_f": 0.0}
    assert set(summary["composed"]) >= {"noise", "other clip", "evenly spaced", "another song's"}


@pytest.mark.parametrize("fact", ["style", "time_signature", "vocals", "drums"])
def test_there_are_thirty_ways_to_ask_each_fact(fact):
    asked = phrasings(fact, TYPED)
    assert len(set(asked)) == N_PHRASINGS and asked == phrasings(fact, TYPED)
    typed_ones = {q.text for q in read_questions(TYPED)}
    assert 1 <= len(typed_ones & set(asked)) < 10
    assert not any("male" in text or "language" in text for text in asked)


def test_steadiness_and_accuracy_are_told_apart():
    rows = []
    for clip, truth in (("a", "jazz"), ("b", "rock")):
        for number in range(4):
            said = "Jazz." if number < 3 else "No idea."
            base = {"set": "paraphrases", "id": clip, "condition": "audio", "fact": "style"}
            rows.append(base | {"truth": truth, "question": f"q{number}", "answer": said})
    found = score_paraphrases(rows, n_draws=20)["style"]
    assert found["consistency"]["value"] == 0.75 and found["accuracy"]["value"] == 0.375
    assert (found["lowest"], found["highest"], found["worst_question"]) == (0.0, 0.5, "q3")


# --- typed questions ----------------------------------------------------------------------------


class Clerk:
    """Always measures the key, and says it."""

    def ask(self, conversation):
        call = ToolCall("call_1", "estimate_key", {"audio": "audio_1"})
        result = ToolResult("call_1", "estimate_key", {"key": "F minor", "confidence": 0.9})
        text = "It is in F minor."
        said = Message("assistant", (TextPart(text),))
        return Answer(text, (said,), (call,), (result,))


def test_typed_questions_are_judged_and_written_down(tmp_path):
    asked = [
        Question("what key", "known", ("estimate_key",)),
        Question("who sings", "known", ("unknowable",)),
        Question("home note?", "fresh", ("estimate_key",)),
    ]
    rows = list(typed.ask_song(Clerk(), song(0), asked))
    text = typed.report(rows, {"benchmark": "typed"}, tmp_path, False)
    found = json.loads((tmp_path / "scores.json").read_text())["scores"]
    assert found["known"] == {"questions": 2, "right_tools": 1, "grounded": 2, "right_kind": 1}
    assert found["fresh"]["right_kind"] == 1 and found["all"]["questions"] == 3
    assert (tmp_path / "typed.md").read_text() == text + "\n"
    for part in ("style: jazz", "drums (from 0:12)", "0:30 chorus", "**who sings** (unknowable)"):
        assert part in text, part
    assert "[failed: right_tools, right_kind]" in text
    made_up = dict(rows[0], answer="It is in F minor at 97 BPM.")
    assert typed.judge(made_up) == {"right_tools": True, "grounded": False, "right_kind": False}


def test_every_question_of_the_file_is_read():
    questions = read_questions(TYPED)
    assert len(questions) == 100 and {q.half for q in questions} == {"known", "fresh"}


# --- the model itself ---------------------------------------------------------------------------


def test_the_embedded_model_can_be_asked_by_ear_by_tool_and_by_head():
    from llark_py.benchmarks.asking import Listener
    from llark_py.embedded import embedded_folder
    from llark_py.model.checkpoint import load_model

    ear = Listener(*load_model(embedded_folder(), dtype="float32"))
    [clip] = compose_clips(1, "timgm", 4.0, "own")
    with ear.lending_ears():
        heard = ear.hear([clip.audio, clip.audio])
        answers = ear.answer(heard, [wording()["style"], wording()["time_signature"]])
        assert all(answers) and answers[0] != answers[1]
        # Without a sound, in a batch of those and beside one that hears.
        mixed = ear.answer([*ear.hear([None]), heard[0]], [wording()["style"]] * 2)
        assert "recording" in mixed[0] and mixed[1] == answers[0]
        assert ear.answer([None], [wording()["style"]]) == mixed[:1]
        assert ear.measure("estimate_tempo", clip.audio).get("tempo_bpm", 0) > 0
        heads = ear.heads(clip.audio)
        assert {"tempo", "key", "style", "time_signature", "instruments", "not_music"} <= set(heads)
        assert 0 <= heads["style"].confidence <= 1
        form = ear.form(clip.audio)
        assert form is not None and form.boundaries_s == []
