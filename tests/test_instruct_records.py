"""Records survive being written and read, and a bad line is told by its number."""

from __future__ import annotations

import json
from random import Random

import pytest

from llark_py.errors import ConfigError
from llark_py.instruct.grammar import dialogue
from llark_py.instruct.records import (
    InstructionRecord,
    from_chat,
    read_records,
    record_of,
    to_chat,
    write_records,
)
from llark_py.instruct.simulate import OF_ONE_RECORDING
from llark_py.messages import system
from llark_py.track import Track

TRACK = Track(id="x", duration_s=10.0, tempo_bpm=100.0, key="F# minor", genre="jazz", mood="tense")
GOOD = {
    "audio": "song.wav",
    "messages": [
        {"role": "user", "content": "What is it?"},
        {"role": "assistant", "content": "A waltz."},
    ],
}


def test_chat_and_messages_are_the_same_conversation():
    rng = Random(1)
    for _ in range(100):
        messages = [system("Be kind."), *dialogue(TRACK, rng, n_turns=4, tools=OF_ONE_RECORDING)]
        chat = to_chat(messages, first_user_has_audio=False)
        again = to_chat(from_chat(chat), first_user_has_audio=False)
        assert again == chat
        assert [m.text for m in from_chat(chat)] == [m.text for m in messages]


def test_only_the_first_question_carries_the_recording():
    chat = to_chat(dialogue(TRACK, Random(2), n_turns=3, tools=()), audio_id="audio_2")
    users = [turn for turn in chat if turn["role"] == "user"]
    assert users[0]["content"][0] == {"type": "audio", "id": "audio_2"}
    assert all(item["type"] == "text" for turn in users[1:] for item in turn["content"])


def test_records_survive_the_file(tmp_path):
    rng = Random(3)
    records = [
        record_of(
            dialogue(TRACK, rng, n_turns=3, tools=OF_ONE_RECORDING),
            id=f"r{n}",
            source="grammar",
            track_id=TRACK.id,
        )
        for n in range(20)
    ]
    path = tmp_path / "data.jsonl"
    assert write_records(records, path) == 20
    assert list(read_records(path)) == records
    assert [p.name for p in tmp_path.iterdir()] == ["data.jsonl"]
    assert records[0].chat[0]["content"][0]["type"] == "audio"


def test_an_interrupted_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "data.jsonl"
    write_records([InstructionRecord.model_validate(GOOD)], path)
    before = path.read_text()

    def failing():
        yield InstructionRecord.model_validate(GOOD)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_records(failing(), path)
    assert path.read_text() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_persons_own_file_is_read(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(GOOD) + "\n\n" + json.dumps(GOOD) + "\n", encoding="utf-8")
    first, second = read_records(path)
    assert first == second and first.audio == "song.wav" and first.source == "user"
    assert first.chat[1] == {"role": "assistant", "content": "A waltz."}


def without(key: str) -> dict:
    return {k: v for k, v in GOOD.items() if k != key}


def with_messages(*messages: dict) -> dict:
    return {**GOOD, "messages": list(messages)}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{not json", "JSON"),
        ('["a list"]', "object"),
        (without("audio"), "audio"),
        (without("messages"), "messages"),
        ({**GOOD, "messages": []}, "messages"),
        ({**GOOD, "message": []}, "message"),
        (with_messages({"role": "bot", "content": "x"}, GOOD["messages"][1]), "role"),
        (with_messages({"role": "user"}, GOOD["messages"][1]), "content"),
        (with_messages(*reversed(GOOD["messages"])), "first message must be the user's"),
        (with_messages(GOOD["messages"][0], GOOD["messages"][0]), "last message"),
        (with_messages({"role": "user", "content": 3}, GOOD["messages"][1]), "content"),
    ],
)
def test_a_bad_line_is_told_by_its_number(tmp_path, line, reason):
    path = tmp_path / "mine.jsonl"
    text = line if isinstance(line, str) else json.dumps(line)
    path.write_text(json.dumps(GOOD) + "\n" + text + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"mine\.jsonl, line 2: .*{reason}"):
        list(read_records(path))


def test_missing_empty_and_binary_files_are_told(tmp_path):
    with pytest.raises(ConfigError, match="no file"):
        list(read_records(tmp_path / "none.jsonl"))
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n")
    with pytest.raises(ConfigError, match="no records"):
        list(read_records(empty))
    binary = tmp_path / "binary.jsonl"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        list(read_records(binary))


def test_chat_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="role 'bot'"):
        from_chat([{"role": "bot", "content": "x"}])
    with pytest.raises(ConfigError, match="not JSON"):
        from_chat([{"role": "tool", "name": "t", "content": "{"}])
    with pytest.raises(ConfigError, match="JSON object"):
        from_chat([{"role": "tool", "name": "t", "content": "[]"}])
