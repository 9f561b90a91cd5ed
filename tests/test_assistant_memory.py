"""What the assistant keeps between turns: encoder frames, keys and values; and that it may."""

from __future__ import annotations

import pytest
import torch
from assistant_parts import noise
from model_parts import tiny_model

from llark_py.assistant.core import Assistant
from llark_py.assistant.frames import FrameCache
from llark_py.encoders.base import Encoded
from llark_py.errors import AudioError
from llark_py.messages import AudioPart, user


@pytest.fixture
def parts(monkeypatch):
    """A real tiny model without tools, with its encoder and its forward passes counted."""
    model, processor = tiny_model()
    model.config.text_config.max_position_embeddings = 4096
    counts = {"encoded": 0, "tokens": []}
    encode, forward = model.encode_recording, model.model.language_model.forward

    def counting_encode(*args, **kwargs):
        counts["encoded"] += 1
        return encode(*args, **kwargs)

    def counting_forward(*args, inputs_embeds, **kwargs):
        counts["tokens"].append(inputs_embeds.shape[1])
        return forward(*args, inputs_embeds=inputs_embeds, **kwargs)

    monkeypatch.setattr(model, "encode_recording", counting_encode)
    monkeypatch.setattr(model.model.language_model, "forward", counting_forward)
    return model, processor, counts


def build(parts, **options):
    model, processor, _ = parts
    return Assistant(model, processor, tools=[], max_new_tokens=12, **options)


def converse(assistant, questions, audio):
    """Ask one question after another about a recording; give the answers."""
    history = [user(questions[0], AudioPart("audio_1", audio))]
    answers = []
    for following in [*questions[1:], None]:
        answer = assistant.ask(history)
        answers.append(answer.text)
        history += answer.messages
        if following is not None:
            history.append(user(following))
    return answers


def test_later_turns_compute_only_what_is_new(parts):
    assistant, counts = build(parts), parts[2]
    history = [user("How fast is it?", AudioPart("audio_1", noise()))]
    first = assistant.ask(history)
    prefill = counts["tokens"][0]
    counts["tokens"].clear()
    assistant.ask([*history, *first.messages, user("Which key?")])
    assert counts["encoded"] == 1
    assert counts["tokens"][0] < prefill / 2
    assert counts["tokens"][1:] == [1] * (len(counts["tokens"]) - 1)


def test_cached_turns_equal_recomputed_turns(parts):
    questions, audio = ["How fast is it?", "Which key is it in?", "Describe it."], noise(seed=3)
    remembered = converse(build(parts), questions, audio)

    class Forgetful(Assistant):
        def ask(self, *args, **kwargs):
            self._decoder._past = None
            return super().ask(*args, **kwargs)

    model, processor, _ = parts
    forgetful = Forgetful(model, processor, tools=[], max_new_tokens=12)
    assert remembered == converse(forgetful, questions, audio)
    assert len(set(remembered)) > 1


def test_streamed_text_equals_plain_generation(parts):
    model, processor, _ = parts
    audio = noise(seed=5)
    answer = build(parts).ask(audio, "How fast is it?")
    decoder = build(parts)._decoder
    # The same prompt, given to the model as sound instead of as frames.
    from llark_py.assistant.conversation import with_system, write_chat

    chat = write_chat(with_system([user("How fast is it?", AudioPart("audio_1", audio))]))
    text = processor.apply_chat_template(chat, add_generation_prompt=True)
    inputs = processor(text=text, audio=[audio.samples], add_special_tokens=False)
    assert inputs["input_ids"][0].tolist() == decoder.prompt_ids(chat, [], [audio])
    output = model.generate(
        **inputs,
        max_new_tokens=12,
        do_sample=False,
        eos_token_id=processor.tokenizer.eos_token_id,
        pad_token_id=processor.tokenizer.pad_token_id,
    )
    new = output[0, inputs["input_ids"].shape[1] :]
    plain = processor.tokenizer.decode(new, skip_special_tokens=True)
    assert answer.text == plain.strip()


def test_another_recording_with_the_same_words_is_heard_anew(parts):
    shared = build(parts)
    one, two = noise(seed=1), noise(seed=2)
    texts = [shared.ask(audio, "How fast is it?").text for audio in (one, two, one)]
    alone = [build(parts).ask(audio, "How fast is it?").text for audio in (one, two)]
    assert texts == [*alone, alone[0]]


def test_a_recording_added_later_is_heard(parts):
    assistant, counts = build(parts), parts[2]
    history = [user("How fast is it?", AudioPart("audio_1", noise(seed=1)))]
    first = assistant.ask(history)
    history += [*first.messages, user("And this?", AudioPart("audio_2", noise(0.4, seed=2)))]
    assert assistant.ask(history).text == build(parts).ask(history).text
    assert counts["encoded"] == 2 + 2


def test_a_failed_turn_leaves_no_broken_memory(parts, monkeypatch):
    model = parts[0]
    assistant = build(parts)
    question = [user("How fast is it?", AudioPart("audio_1", noise()))]
    expected = assistant.ask(question).text
    with monkeypatch.context() as broken:
        broken.setattr(model, "generate", lambda **inputs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            assistant.ask(question)
    assert assistant.ask(question).text == expected


def test_frames_used_last_are_kept():
    encoded = []

    def encode(audio):
        encoded.append(audio)
        return Encoded(torch.zeros(1, 2))

    cache = FrameCache(encode, size=2)
    a, b, c = (noise(seed=s) for s in range(3))
    for audio in (a, b, a, c, a, b):
        cache(audio)
    assert encoded == [a, b, c, b]
    cache(noise(seed=1))  # the same sound in another object
    assert len(encoded) == 4


def test_a_recording_too_short_for_a_frame_is_refused(parts, monkeypatch):
    monkeypatch.setattr(parts[0], "encode_recording", lambda samples: Encoded(torch.zeros(0, 8)))
    with pytest.raises(AudioError, match="too short for the model to hear"):
        build(parts).ask(noise(), "How fast is it?")
