"""Numbers in answers are those that tools measured; what is shown while text streams in."""

from __future__ import annotations

import re

import pytest
import torch
from assistant_parts import call, noise, scripted_assistant
from model_parts import SPECIAL_TOKENS, tiny_tokenizer
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from llark_py.assistant.grounded_keys import GroundedKeys, measured_modes
from llark_py.assistant.grounding import (
    GroundedNumbers,
    heard_numbers,
    numbers_in,
    told_times,
    trim_unfinished,
    ungrounded_numbers,
)
from llark_py.assistant.reply import TOOL_CALL, ReplyFilter, control_tokens
from llark_py.messages import ToolResult

TEMPO = {"tempo_bpm": 90.1, "runner_up_bpm": 45.0, "beat_count": 24, "confidence": 0.93}
SOURCE = '{"tempo_bpm": 90.1, "runner_up_bpm": 45.0, "lowest_note": "C3"}'


def let_tools_say(monkeypatch, content):
    """Let every tool return the same, whatever it is given."""
    monkeypatch.setattr(
        "llark_py.assistant.toolbox.run_tool",
        lambda name, *args, call_id: ToolResult(call_id, name, content),
    )


def test_numbers_are_read_as_written():
    assert numbers_in(SOURCE) == {"90.1", "45.0", "45", "3"}
    assert ungrounded_numbers("It has 90.1 BPM, or 45, from C3.", SOURCE) == []
    assert ungrounded_numbers("It has 90 BPM or 45.5, 1,000.", SOURCE) == ["90", "45.5", "1,000"]


def test_a_number_cut_off_at_the_end_is_taken_back():
    assert trim_unfinished("It has 90.", SOURCE) == "It has"
    assert trim_unfinished("It has 90.1", SOURCE) == "It has 90.1"
    assert trim_unfinished("It has 45.", SOURCE) == "It has 45."
    assert trim_unfinished("It is slow.", SOURCE) == "It is slow."


def word_tokenizer():
    """Make a tokenizer with whole numbers and numbers with spaces as single tokens."""
    words = ["<unk>", "</s>", *"0123456789.,", "9", "90", "1", " 90", " 45", " BPM", " is", "90.1"]
    words += ["12", "It", " C3", " C4", " and", "."]
    vocabulary = {word.replace(" ", "Ġ"): i for i, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    from tokenizers import decoders

    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", unk_token="<unk>")


def mode_tokenizer():
    """Make a tokenizer that writes the modes whole."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens([" minor", " major", " Major", " F#"])
    return tokenizer


@pytest.mark.parametrize("make", [tiny_tokenizer, word_tokenizer])
@pytest.mark.parametrize("seed", range(8))
def test_no_random_text_holds_a_number_of_its_own(make, seed):
    tokenizer = make()
    torch.manual_seed(seed)
    processor = GroundedNumbers(tokenizer, SOURCE, 0)
    numerals = [i for t, i in tokenizer.get_vocab().items() if re.search(r"^Ġ?[0-9.,C]+$", t)]
    unshown = [*control_tokens(tokenizer), tokenizer.get_vocab().get(TOOL_CALL, 0)]
    ids = torch.zeros(1, 0, dtype=torch.long)
    for _ in range(60):
        scores = torch.randn(1, len(tokenizer))
        scores[0, numerals] += 3.0  # mostly numbers
        scores[0, unshown] = -torch.inf
        scores[0, tokenizer.eos_token_id] = 0.0
        token = processor(ids, scores).argmax(-1, keepdim=True)
        ids = torch.cat([ids, token], 1)
        if token.item() == tokenizer.eos_token_id:
            break
    text = tokenizer.decode(ids[0], skip_special_tokens=True)
    text = trim_unfinished(text, SOURCE)
    assert ungrounded_numbers(text, SOURCE) == []


def test_every_allowed_number_can_be_written():
    tokenizer = tiny_tokenizer()
    text = "It has 90.1 beats, or 45, or 45.0 from C3."
    wanted = tokenizer(text, add_special_tokens=False)["input_ids"]
    processor = GroundedNumbers(tokenizer, SOURCE, 0)
    for i, token in enumerate(wanted):
        scores = torch.zeros(1, len(tokenizer))
        assert processor(torch.tensor([wanted[:i]], dtype=torch.long), scores)[0, token] == 0.0


@pytest.mark.parametrize(
    "said",
    [
        "It has 120 BPM.",
        "It has 90.7 BPM, 24 beats.",
        "90",
        "90.12 of them",
        "Tempo 9.01, 193.",
        "0.9",
    ],
)
def test_answers_after_a_tool_hold_no_other_numbers(monkeypatch, said):
    let_tools_say(monkeypatch, TEMPO)
    assistant, _ = scripted_assistant(call(audio="audio_1"), said, max_new_tokens=40)
    answer = assistant.ask(noise(), "How fast is it?")
    assert len(answer.tool_results) == 1
    heard = heard_numbers(told_times(noise().duration_s))
    assert ungrounded_numbers(answer.text, f"{TEMPO} {heard}") == []
    assert answer.messages[-1].text == answer.text.strip()


def test_right_numbers_pass_untouched(monkeypatch):
    let_tools_say(monkeypatch, TEMPO)
    said = "It has 90.1 BPM (93 asked: no, confidence 0.93), 24 beats, perhaps 45."
    assistant, _ = scripted_assistant(call(audio="audio_1"), said)
    assert assistant.ask(noise(), "Is it 93?").text == said


def test_neither_letter_nor_joint_is_glued_to_a_number():
    tokenizer = tiny_tokenizer()
    written = tokenizer("It has 45.", add_special_tokens=False)["input_ids"]
    scores = torch.zeros(1, len(tokenizer))
    GroundedNumbers(tokenizer, SOURCE, 0)(torch.tensor([written]), scores)
    allowed = {t for t, i in tokenizer.get_vocab().items() if scores[0, i] == 0.0}
    assert {"0", "Ġ", tokenizer.eos_token} <= allowed
    assert not {"A", "B", "x", ",", "."} & allowed


def test_a_tonic_named_with_one_mode_keeps_it():
    source = '{"key": "F# minor", "runner_up": "A major"} Or A minor? Or Bb Major? a minor key?'
    assert measured_modes(source) == {"F#": "minor", "Bb": "major"}


KEY = {"key": "F# minor", "runner_up": "A major", "confidence": 0.4}


@pytest.mark.parametrize(
    ("said", "free"),
    [
        ("It is F# major.", False),
        ("F# Major", False),
        ("Perhaps A minor", False),
        ("It is F# minor, or A major.", True),
        ("F minor is another.", True),
        ("E minor and a minor third", True),
        ("A majority of F#s is mine", True),
    ],
)
@pytest.mark.parametrize("make", [tiny_tokenizer, mode_tokenizer])
def test_only_the_measured_mode_can_be_written(make, said, free):
    tokenizer = make()
    wanted = tokenizer(said, add_special_tokens=False)["input_ids"]
    processor = GroundedKeys(tokenizer, str(KEY), 0)
    passed = []
    for i, token in enumerate(wanted):
        scores = torch.zeros(1, len(tokenizer))
        passed.append(processor(torch.tensor([wanted[:i]], dtype=torch.long), scores)[0, token])
    assert bool(min(passed) == 0.0) is free


def test_a_wrong_mode_of_the_model_is_never_shown(monkeypatch):
    let_tools_say(monkeypatch, KEY)
    said = "It is F# major, or A minor."
    assistant, _ = scripted_assistant(call("estimate_key", audio="audio_1"), said)
    answer = assistant.ask(noise(), "Which key is it in?").text
    assert answer.startswith("It is F# minor, or A major")


def test_arguments_of_a_second_call_are_not_held_back(monkeypatch):
    let_tools_say(monkeypatch, TEMPO)
    second = call("transcribe_notes", audio="audio_1", start_s=17.5)
    assistant, _ = scripted_assistant(call(audio="audio_1"), second, "Done.")
    answer = assistant.ask(noise(), "How fast is it?")
    assert answer.tool_calls[1].arguments == {"audio": "audio_1", "start_s": 17.5}


def test_without_a_tool_numbers_are_free():
    assistant, _ = scripted_assistant("I hear 4 players in 3/4.")
    assert assistant.ask(noise(), "Who plays?").text == "I hear 4 players in 3/4."


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_the_filter_shows_the_same_however_text_is_cut(size):
    raw = " Let me see: a < b, 3.5 > 2.<|im_end|> \n <tool_call>\n{}</tool_call>tail<|im_end|>"
    visible = ReplyFilter(SPECIAL_TOKENS)
    shown = [visible.feed(raw[i : i + size]) for i in range(0, len(raw), size)]
    shown.append(visible.finish())
    assert "".join(shown) == "Let me see: a < b, 3.5 > 2."
    assert visible.shown == "".join(shown)
    assert "<tool_call>" in visible.without_controls()


def test_times_of_the_recording_and_time_signatures_may_be_said_after_a_tool(monkeypatch):
    let_tools_say(monkeypatch, TEMPO)
    said = "The drums enter at 0:01, in 4/4."
    assistant, _ = scripted_assistant(call(audio="audio_1"), said, max_new_tokens=60)
    assert assistant.ask(noise(3.0), "How fast is it?").text == said


def test_times_after_the_end_may_not_be_said(monkeypatch):
    let_tools_say(monkeypatch, TEMPO)
    assistant, _ = scripted_assistant(call(audio="audio_1"), "At 7:31.", max_new_tokens=20)
    assert "7:31" not in assistant.ask(noise(3.0), "How fast is it?").text
