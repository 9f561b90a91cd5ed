"""Answers given side by side are those given one by one: same words, same tools, same limits."""

from __future__ import annotations

import pytest
import torch
from assistant_parts import call, clicks, noise
from model_parts import tiny_model
from transformers import LogitsProcessor

from llark_py.assistant.batch import BatchAssistant
from llark_py.assistant.core import Assistant
from llark_py.assistant.grounding import GroundedNumbers
from llark_py.assistant.side_by_side import BatchDecoder, Heard, Row

QUESTIONS = ["How fast is it?", "Describe the music in a few words, please.", "Key?"]


@pytest.fixture(scope="module")
def parts():
    return tiny_model()


def heard(model, audio):
    rate = model.config.audio_config.sample_rate
    samples = torch.from_numpy(audio.mono().resample(rate).samples)
    return Heard(audio, model.encode_recording(samples))


@pytest.fixture(scope="module")
def songs(parts):
    return [heard(parts[0], noise(seconds, seed)) for seed, seconds in enumerate((0.2, 0.5, 0.35))]


def test_side_by_side_equals_one_by_one_in_any_company(parts, songs):
    alone = Assistant(*parts, max_new_tokens=24, tools=["estimate_key"])
    together = BatchAssistant(*parts, max_new_tokens=24)
    together.tools, together._schemas = alone.tools, alone._schemas
    expected = [[alone.ask(song.audio, q).text.strip() for q in QUESTIONS] for song in songs]
    assert len({text for row in expected for text in row}) > len(songs)  # it does listen
    assert together.answer(songs, QUESTIONS) == expected
    assert together.answer(songs[::-1], QUESTIONS) == expected[::-1]
    assert together.answer(songs[1:2], QUESTIONS[:1]) == [expected[1][:1]]


class Only(LogitsProcessor):
    """Lets one token through, and the end after three of them."""

    def __init__(self, token, end):
        self._token, self._end, self._n = token, end, 0

    def __call__(self, input_ids, scores):
        assert len(input_ids) == len(scores) == 1
        scores.fill_(-torch.inf)
        scores[0, self._token if self._n < 3 else self._end] = 0.0
        self._n += 1
        return scores


def test_each_row_has_its_own_constraints_and_room(parts, songs):
    model, processor = parts
    decoder = BatchDecoder(model, processor)
    decoder.open(songs)
    letters = [processor.tokenizer.convert_tokens_to_ids(letter) for letter in "abc"]
    rows = []
    for song, letter, room in zip(songs, letters, (9, 2, 9), strict=True):
        chat = [{"role": "user", "content": [{"type": "audio"}, {"type": "text", "text": "?"}]}]
        prompt = decoder.prompt_ids(chat, [], [song.audio])
        begun = decoder.begin(prompt[:-2], [song.audio])
        only = Only(letter, processor.tokenizer.eos_token_id)
        rows.append(Row(begun, prompt, room, [only]))
    assert decoder.reply(rows) == ["aaa", "bb", "ccc"]


def test_tools_run_for_the_conversations_that_call_them(monkeypatch):
    parts = tiny_model()
    parts[0].config.text_config.max_position_embeddings = 4096
    songs = [heard(parts[0], audio) for audio in (clicks(100, 4.0, 1600), noise(4.0, rate=1600))]
    assistant = BatchAssistant(*parts, max_new_tokens=24)
    rounds = []

    def reply(rows):
        rounds.append([[type(p) for p in row.constraints[0].parts] for row in rows])
        if len(rounds) == 1:
            return [call("measure_loudness"), "I hear noise."]
        return [f"Loud, {call('nothing')}"] if len(rounds) == 2 else ["It is loud."]

    monkeypatch.setattr(assistant._decoder, "reply", reply)
    answers = assistant.answer(songs, ["How loud is it?"])
    assert [len(rows) for rows in rounds] == [2, 1, 1]
    assert answers == [["Loud,\n\nIt is loud."], ["I hear noise."]]
    measured = [[GroundedNumbers in row for row in rows] for rows in rounds]
    assert measured == [[False, False], [True], [True]]
