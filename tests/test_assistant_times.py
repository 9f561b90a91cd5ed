"""Times lie within the recording, and a reply that goes round in circles ends."""

from __future__ import annotations

import json
import re

import pytest
import torch
from assistant_parts import first_refused, noise, scripted_assistant
from model_parts import tiny_tokenizer
from test_assistant_grounding import word_tokenizer

from llark_py.assistant.constraints import constrain
from llark_py.assistant.grounded_times import GroundedTimes
from llark_py.assistant.grounding import told_times
from llark_py.assistant.repetition import loop_start, settled_length, without_loop
from llark_py.assistant.reply import ReplyFilter

LOOP = "verse at 0:01, chorus at 0:02, verse at 0:01, chorus at 0:02, verse at 0:01, chorus"


def seconds(time):
    minutes, rest = time.split(":")
    return 60 * int(minutes) + int(rest)


def random_times(tokenizer, processor, seed):
    """Write random tokens, mostly of numbers, that a constraint lets through; list their times."""
    torch.manual_seed(seed)
    numerals = [i for t, i in tokenizer.get_vocab().items() if re.search(r"^Ġ?[0-9:]*$", t)]
    likely = tokenizer.convert_tokens_to_ids(["0", "1", "9", ":", ":"])
    ids = torch.zeros(1, 0, dtype=torch.long)
    gap = tokenizer.convert_tokens_to_ids("Ġ" if "Ġ" in tokenizer.get_vocab() else "Ġis")
    for step in range(150):
        scores = torch.randn(1, len(tokenizer))
        scores[0, numerals] += 3.0
        scores[0, likely] += 1.0
        if step % 6 == 0:
            scores[0, gap] = 20.0  # so that numbers begin anew
        scores[0, tokenizer.all_special_ids] = -torch.inf
        ids = torch.cat([ids, processor(ids, scores).argmax(-1, keepdim=True)], 1)
    text = processor.trim(tokenizer.decode(ids[0]))
    times = re.findall(r"[0-9]+(?::[0-9]+)+", text)
    assert times
    return times


@pytest.mark.parametrize("make", [tiny_tokenizer, word_tokenizer])
@pytest.mark.parametrize("seed", range(6))
def test_no_random_text_holds_a_time_after_the_end(make, seed):
    tokenizer = make()
    if make is tiny_tokenizer:
        tokenizer.add_tokens([":0", "1:", ":59", "12", " 7"])
    else:
        tokenizer.add_tokens([":", "1:2", ":3"])
    processor = GroundedTimes(tokenizer, told_times(83.7), "and at 9:30?", 0)
    for time in random_times(tokenizer, processor, seed):
        assert time == "9:30" or (re.fullmatch(r"\d:[0-5]\d", time) and seconds(time) <= 83), time


@pytest.mark.parametrize("seed", range(4))
def test_of_what_has_notes_only_their_times_are_told(seed):
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens([":0", "1:", ":59", "12", " 7"])
    told = told_times(83.7, "heard: 1:23; sections intro 0:00, A 0:09; enters drums 0:12")
    assert told == ["0:00", "0:09", "0:12", "1:23"]
    processor = GroundedTimes(tokenizer, told, "and at 9:30?", 0)
    assert set(random_times(tokenizer, processor, seed)) <= {*told, "9:30"}


@pytest.mark.parametrize("said", ["It has 120 beats, at 1:23.", "In 4/4: 90.5 at 9:30: 0:07, 12"])
def test_times_of_the_recording_and_other_numbers_can_be_written(said):
    tokenizer = tiny_tokenizer()
    wanted = tokenizer(said.replace("4/4: ", "4/4 "), add_special_tokens=False)["input_ids"]
    processor = GroundedTimes(tokenizer, told_times(83.7), "and at 9:30?", 0)
    for i, token in enumerate(wanted):
        scores = torch.zeros(1, len(tokenizer))
        assert processor(torch.tensor([wanted[:i]], dtype=torch.long), scores)[0, token] == 0.0


def test_times_in_a_list_go_on():
    tokenizer = tiny_tokenizer()
    processor = GroundedTimes(tokenizer, ["0:00", "0:12", "0:40"], "", 0)

    def open_to(text):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        scores = processor(torch.tensor([ids], dtype=torch.long), torch.zeros(1, len(tokenizer)))
        digits = tokenizer.convert_tokens_to_ids(list("0123456789"))
        return "".join(d for d, i in zip("0123456789", digits, strict=True) if scores[0, i] == 0.0)

    assert open_to("verse at 0:") == "014"
    assert open_to("verse at 0:12, chorus at ") == "0"
    assert open_to("I hear it at ") == "0123456789"  # it may be anything, such as 120 BPM
    assert open_to("verse at 0:12, chorus at 0:") == "4"
    assert open_to("It lasts from 0:12 to 0:40, the other from 0:") == "014"
    assert open_to("Drums at 0:40. The bass comes in at 0:") == "014"
    assert open_to("verse at 0:40, chorus at 0:") == "014"  # there is no later one


def test_without_a_tool_no_time_after_the_end_is_said():
    assistant, _ = scripted_assistant("Drums at 0:02, chorus at 0:09, at 7:31.", max_new_tokens=60)
    answer = assistant.ask(noise(3.0), "When do the drums enter?").text
    times = re.findall(r"[0-9]+:[0-9]+", answer)
    assert times and max(map(seconds, times)) <= 3
    assert answer.startswith("Drums at 0:02, chorus at 0:0")


def writes(said, times, quotable, *, measured):
    """Whether a reply may be written token by token under the constraints of its turn."""
    tokenizer = tiny_tokenizer()
    constraint, _ = constrain(tokenizer, quotable, times, "", 0, measured=measured)
    return first_refused(tokenizer, said, constraint) is None


@pytest.mark.parametrize("measured", [True, False])
def test_times_of_a_tool_may_be_told_now_and_later(measured):
    said = json.dumps({"plays": "drums 0:00-1:21 (0.93), voice 0:35-end (0.81)"})
    for answer in ("The voice is in from 0:35.", "It goes from 0:00 to 1:21"):
        assert writes(answer, ["0:00", "0:12"], said, measured=measured)
    assert not writes("The voice is in from 0:36.", ["0:00", "0:12"], said, measured=measured)


def test_what_a_tool_has_timed_is_not_told_by_ear():
    said = json.dumps({"parts": "intro 0:00, A 0:14", "section_count": 2, "picture": None})
    assert writes("It starts at 0:14.", ["0:12"], said, measured=True)
    assert not writes("It starts at 0:12.", ["0:12"], said, measured=True)
    tempo = json.dumps({"tempo_bpm": 90.1})
    assert writes("90.1 BPM; it starts at 0:12.", ["0:12"], tempo, measured=True)


def test_levels_below_zero_are_quoted_with_their_sign():
    said = json.dumps({"loudness_lufs": -14.2, "loudness_range_lu": None, "bass_percent": 45})
    assert writes("It is at -14.2 LUFS, 45 percent bass.", [], said, measured=True)
    assert not writes("It is at -14.3 LUFS.", [], said, measured=True)


def test_a_time_of_the_user_may_be_repeated():
    said = "There is no 5:00 in it."
    assistant, _ = scripted_assistant(said)
    assert assistant.ask(noise(3.0), "What happens at 5:00?").text == said


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (LOOP, "verse at 0:01, chorus at 0:02."),
        ("It is slow rock. It is slow rock. It is", "It is slow rock."),
        ("It is a waltz. I hear drums and it is a waltz. Yes.", None),
        ("It is slow, and it is sad. It is slow, and it is happy. So", None),
        ("Yes. Yes. Yes.", None),
        ("The verse has piano, bass and drums, the chorus guitar, bass and drums.", None),
        ("intro, verse, chorus, verse, chorus, bridge, verse, chorus, verse, chorus.", None),
        ("verse, chorus, " * 8, "verse, chorus, " * 3 + "verse, chorus."),
        ("The tempo is 90.1 BPM. The tempo is 90.2 BPM.", None),
        ("It goes" + " C#m - G#m -" * 9 + " E.", "It goes" + " C#m - G#m -" * 3 + " C#m - G#m."),
        ("It goes" + " C - F -" * 3 + " C - F. A guess: sad.", None),
        ("It goes" + " C - F -" * 4 + " C - F#.", None),
    ],
)
def test_a_loop_is_cut_where_it_begins(text, kept):
    assert without_loop(text.rstrip()) == (text.rstrip() if kept is None else kept)
    assert (loop_start(f"{text}\n") is None) is (kept is None)


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize(
    "loop, kept",
    [
        (LOOP, "verse at 0:01, chorus at 0:02."),
        ("It goes" + " C - Fm -" * 9, "It goes" + " C - Fm -" * 3 + " C - Fm."),
        ("It goes" + " C - F -" * 4 + " C - F# - G.", None),
    ],
)
def test_what_is_shown_never_has_to_be_taken_back(loop, kept, size):
    visible = ReplyFilter([])
    shown = [visible.feed(loop[i : i + size]) for i in range(0, len(loop), size)]
    shown.append(visible.finish())
    assert "".join(shown) == (loop if kept is None else kept)


def test_new_words_are_shown_at_once():
    text = "It is slow rock. It is sad"
    assert settled_length(text) == len(text)
    assert settled_length("It is slow rock. It is") == len("It is slow rock.")


@pytest.mark.parametrize(
    "loop", [LOOP.replace(" at ", " from ") * 3, "I hear a piano here. " * 20, "on and on, " * 90]
)
def test_an_answer_that_loops_ends(loop):
    assistant, _ = scripted_assistant(loop, max_new_tokens=400, context=4096)
    answer = assistant.ask(noise(3.0), "How is it structured?").text
    assert len(answer) < 80 and answer.endswith(".") and loop.startswith(answer[:-1])
