"""Notes: what the heads hear as one line, and its way into the user's turn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from model_parts import TEXT_TEMPLATE, question, tiny_model
from song_parts import RATE, heard_of, noise, song_config, song_encoder

from llark_py.assistant.core import Assistant
from llark_py.audio import Audio
from llark_py.benchmarks import asking
from llark_py.embedded import embedded_folder
from llark_py.encoders.base import Encoded
from llark_py.encoders.mini_chords import fold_cycle, read_chords
from llark_py.encoders.mini_form import Form, Span
from llark_py.encoders.mini_notes import notes_of, write_notes
from llark_py.encoders.mini_sections import Section
from llark_py.encoders.mini_songs import Hearing
from llark_py.errors import AudioError
from llark_py.model.chat import with_notes

FUNK = {
    "sound": {"music": 0.98},
    "style": {"funk": 0.9},
    "feel": {"swung": 0.5, "straight": 0.4},
    "time_signature": {"4/4": 0.97},
    "density": {"busy": 0.55},
    "families": {"bass": 0.9, "drums": 0.8, "voice": 0.7},
    "instruments": {
        "electric bass": 0.9,
        "drums": 0.8,
        "singer": 0.7,
        "clean electric guitar": 0.45,
    },
    "lead": {"singer": 0.8},
}
AM_F_C_G = [12 + 9, 5, 0, 7]


@pytest.fixture
def config():
    return song_config()


def hearing(config, n_frames, said, form=None, **options):
    heard = heard_of(config, n_frames, said, **options)
    return Hearing(heard, form or Form(n_frames / 10))


def test_notes_of_a_clip(config):
    [note] = notes_of(
        heard_of(config, 80, FUNK, {"bass": (0, 80), "drums": (40, 80)}, AM_F_C_G), config
    )
    assert note == (
        "heard: 0:08; style funk; metre 4/4; density busy?; families bass, drums, voice; "
        "players electric bass, drums, singer, clean electric guitar?; lead singer; "
        "chords Am F C G; enters drums 0:04; music"
    )


def test_families_that_may_play_are_noted_behind_those_that_do(config):
    # Each is told from .4 on; what is below six tenths of that is not even perhaps there.
    said = {**FUNK, "instruments": {"electric bass": 0.9}}
    for chances, families, perhaps in (
        ({"piano": 0.25, "bass": 0.9}, "bass", "piano"),
        ({"piano": 0.25, "bass": 0.39}, None, "bass, piano"),
        ({"piano": 0.23, "bass": 0.9}, "bass", None),
        ({"piano": 0.55, "bass": 0.9}, "bass, piano?", None),
        ({"bass": 0.9, "drums": 0.39, "voice": 0.39}, "bass", None),
    ):
        [note] = notes_of(heard_of(config, 80, {**said, "families": chances}), config)
        told = dict(part.split(" ", 1) for part in note.split("; ") if " " in part)
        assert (told.get("families"), told.get("perhaps")) == (families, perhaps)


def test_notes_of_a_song(config):
    form = Form(
        161.0,
        {
            "bass": (Span(0.0, 161.0),),
            "drums": (Span(12.0, 100.0), Span(110.0, 160.5)),
            "voice": (Span(41.0, 80.0), Span(90.0, 140.0)),
            "piano": (Span(20.0, 22.0),),
        },
        (
            Section(0.0, 12.0, "intro"),
            Section(12.0, 41.0, "verse"),
            Section(41.0, 70.0, "chorus"),
            Section(70.0, 100.0, "chorus"),
            Section(100.0, 161.0, "verse"),
        ),
    )
    heard = hearing(config, 1610, FUNK, form, chords=AM_F_C_G)
    note = write_notes(heard, config)
    assert note == (
        "heard: 2:41; style funk; metre 4/4; density busy?; families bass, drums, voice; "
        "players electric bass, drums, singer, clean electric guitar?; lead singer; "
        "chords Am F C G (x21); sections intro 0:00, verse 0:12, chorus 0:41, verse 1:40; "
        "enters drums 0:12, voice 0:41; leaves voice 2:20; music"
    )
    later = write_notes(heard, config, number=2, offset_s=60.0)
    assert later.startswith("heard 2: 2:41;") and "enters drums 1:12" in later


def test_a_head_for_the_feel_is_told_where_there_is_one(config, monkeypatch):
    labels = config.labels | {"feel": ["straight", "swung"]}
    monkeypatch.setattr(type(config), "labels", labels)
    [note] = notes_of(heard_of(config, 84, FUNK), config)
    assert "; feel swung?; " in note


@pytest.mark.parametrize("sound", ["silence", "noise", "speech"])
def test_what_is_not_music_is_said_plainly(config, sound):
    sure, unsure = ({"sound": {sound: p}} for p in (0.9, 0.5))
    assert write_notes(hearing(config, 120, sure), config) == f"heard: 0:12; {sound}"
    assert write_notes(hearing(config, 120, unsure), config) == f"heard: 0:12; {sound}?"


def test_digital_silence_is_silence_whatever_the_heads_say():
    encoder = song_encoder()
    for seconds in (2.0, 20.0, 40.0):
        assert encoder.notes(torch.zeros(int(seconds * RATE))).endswith("; silence")


@pytest.mark.parametrize("n_frames", [1, 5, 9])
def test_less_than_a_second_tells_hardly_anything(config, n_frames):
    note = write_notes(hearing(config, n_frames, FUNK), config)
    assert note == "heard: 0:00; too short to tell more; music"


def test_tempo_and_key_are_left_to_the_tools(config):
    said = FUNK | {"key": {"C major": 0.99}, "tempo": {config.labels["tempo"][40]: 0.99}}
    [note] = notes_of(heard_of(config, 84, said), config)
    assert note == notes_of(heard_of(config, 84, FUNK), config)[0]


def test_notes_stay_short(config):
    """About 90 tokens for a clip, about 160 for a song, whatever is heard."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(embedded_folder())
    families = config.families
    everything = FUNK | {
        "families": dict.fromkeys(families, 0.5),
        "instruments": dict.fromkeys(config.instruments, 0.5),
    }
    spans = {f: (Span(10.0 + i, 400.0 + i),) for i, f in enumerate(families)}
    sections = tuple(Section(i * 20.0, i * 20 + 20.0, "AB"[i % 2]) for i in range(40))
    song = write_notes(
        hearing(config, 9000, everything, Form(900.0, spans, sections), chords=AM_F_C_G), config
    )
    activity = {f: (20 + i, 60 + i) for i, f in enumerate(families)}
    [clip] = notes_of(heard_of(config, 84, everything, activity, AM_F_C_G), config)
    assert len(tokenizer(song)["input_ids"]) <= 175
    assert len(tokenizer(clip)["input_ids"]) <= 105


# --- chords ---------------------------------------------------------------------------------


def test_cycles_are_folded():
    assert fold_cycle([1, 2, 3, 4] * 3) == ([1, 2, 3, 4], 3)
    assert fold_cycle([9, 1, 2, 1, 2, 1, 2]) == ([1, 2], 3)
    assert fold_cycle([1, 2, 3, 4, 1, 2, 3, 4, 1]) == ([1, 2, 3, 4], 3)
    assert fold_cycle([1, 2, 3, 4, 5]) == ([1, 2, 3, 4, 5], 1)
    assert fold_cycle(list(range(20)))[0] == list(range(8))
    assert fold_cycle([4]) == ([4], 1)


def test_chords_are_read_on_the_beats():
    chord, beat = np.full((80, 25), 0.01), np.zeros((80, 3))
    beat[:, 0] = 1.0
    beat[::5] = [0.0, 1.0, 0.0]
    chord[:40, 12 + 9], chord[40:, 5] = 0.7, 0.7
    chord[22] = 0.01
    chord[22, 3] = 0.9  # one wrong frame
    found = read_chords(chord, beat)
    assert found.names == ("Am", "F") and found.times == 1
    assert found.probability == pytest.approx(0.69, abs=0.02)
    without_beats = read_chords(chord, np.tile([1.0, 0.0, 0.0], (80, 1)))
    assert without_beats.names == ("Am", "F")
    nothing = np.zeros((80, 25))
    nothing[:, 24] = 1.0
    assert read_chords(nothing, beat) is None


# --- the way to the model -------------------------------------------------------------------


def test_notes_stand_right_behind_their_recording():
    chat = [{"role": "system", "content": "Listen."}, *question("Which is faster?", n_audio=2)]
    noted = with_notes(chat, ["heard: 0:08; music", None])
    assert [item.get("text", item["type"]) for item in noted[1]["content"]] == [
        "audio",
        "heard: 0:08; music\n",
        "audio",
        "Which is faster?",
    ]
    assert len(chat[1]["content"]) == 3  # the conversation itself is left alone
    assert with_notes(chat, [None, None]) == chat
    with pytest.raises(AudioError, match="1 notes were given for 2 recordings"):
        with_notes(chat, ["heard: 0:08; music"])


def test_every_template_writes_notes():
    _, processor = tiny_model()
    noted = with_notes(question("How fast?"), ["heard: 0:08; music"])
    for template in (None, TEXT_TEMPLATE):
        text = processor.apply_chat_template(noted, chat_template=template, tokenize=False)
        assert "<|audio|>\nheard: 0:08; music\nHow fast?" in text


def noting_model(monkeypatch):
    model, processor = tiny_model()
    model.config.text_config.max_position_embeddings = 4096
    encode = model.encode_recording
    monkeypatch.setattr(
        model, "encode_recording", lambda w: Encoded(encode(w).frames, "heard: 0:01; music")
    )
    return model, processor


def test_assistant_and_benchmarks_give_the_model_the_same_notes(monkeypatch):
    model, processor = noting_model(monkeypatch)
    prompts, generate = [], model.generate

    def spy(*args, input_ids, **kwargs):
        prompts.append(processor.tokenizer.decode(input_ids[0]))
        return generate(*args, input_ids=input_ids, **kwargs)

    monkeypatch.setattr(model, "generate", spy)
    samples = np.random.default_rng(0).normal(0, 0.1, 400).astype(np.float32)
    Assistant(model, processor, tools=[], max_new_tokens=2).ask(Audio(samples, 1600), "Style?")
    monkeypatch.setattr(asking, "_MAX_NEW_TOKENS", 2)
    listener = asking.Listener(model, processor)
    listener.answer(listener.hear([Audio(samples, 1600)]), ["Style?"])
    for prompt in prompts:
        assert "<|audio_eos|>\nheard: 0:01; music\nStyle?" in prompt
    assert prompts[0] == prompts[1]


def test_notes_do_not_change_between_turns(monkeypatch):
    encoder = song_encoder()
    clip = noise(9.0)
    assert encoder.notes(clip) == encoder.notes(clip.clone())
    assert encoder.notes(clip).startswith("heard: 0:09; ")


def test_fine_tuning_reads_the_same_notes(monkeypatch, tmp_path):
    from types import SimpleNamespace

    from llark_py.audio import save_audio
    from llark_py.training.adapt import encode_recordings, read_notes

    model, _ = noting_model(monkeypatch)
    save_audio(Audio(noise(0.25).numpy(), RATE), tmp_path / "song.wav")
    recipe = SimpleNamespace(data=tmp_path / "records.jsonl", max_audio_s=60.0)
    record = SimpleNamespace(audio="song.wav")
    files = encode_recordings(model, [record, record], recipe, tmp_path / "frames")
    assert [read_notes(file) for file in files] == ["heard: 0:01; music"] * 2
    assert read_notes(tmp_path / "frames" / "other.npy") is None
