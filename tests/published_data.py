"""Tiny made-up data in the official layout of every published benchmark, and answers to them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import yaml

from llark_py import catalog
from llark_py.audio import Audio, save_audio
from llark_py.benchmarks.qa.choices import LETTERS
from llark_py.benchmarks.qa.scoring import score_task
from llark_py.benchmarks.qa.task import Question

RATE = 8000


def sound(path, seed=0, seconds=0.2):
    """Write a recording of noise, another one for every seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE))
    save_audio(Audio(samples, RATE), path)


def _table(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def giantsteps_key(folder):
    for i, key in enumerate(["F minor", "F minor", "C major", "Eb minor"]):
        path = folder / "annotations" / "key" / f"{i}.LOFI.key"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(key)
        sound(folder / "audio" / f"{i}.LOFI.wav", i)


def giantsteps_tempo(folder):
    for i, tempo in enumerate(["127.0", "128", "174.0", "0.0", "64.0"]):
        path = folder / "annotations_v2" / "tempo" / f"{i}.LOFI.bpm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(tempo + "\n")
        sound(folder / "audio" / f"{i}.LOFI.wav", i)


def gtzan_genre(folder):
    for i, genre in enumerate(["blues", "blues", "hiphop", "rock"]):
        sound(folder / "genres" / genre / f"{genre}.{i:05d}.wav", i)


def jamendo_tags(folder):
    lines = ["TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS"]
    tags = [
        ["genre---punkrock", "instrument---drums"],
        ["instrument---drums", "mood/theme---happy"],
        ["genre---rock"],
    ]
    for i, own in enumerate(tags):
        lines.append("\t".join([f"track_{i}", "a", "b", f"0{i}/{i}.mp3", "9.0", *own]))
        sound(folder / "audio" / f"0{i}" / f"{i}.low.mp3", i, 1.0)
    (folder / "autotagging_top50tags-test.tsv").write_text("\n".join(lines) + "\n")


def musicnet_instruments(folder):
    rate = 44_100
    for name, notes in {
        "1759": [(0, 40, 1), (31, 65, 41)],
        "2303": [(0, 31, 72)],
    }.items():
        _table(
            folder / "test_labels" / f"{name}.csv",
            [
                {
                    "start_time": start * rate,
                    "end_time": end * rate,
                    "instrument": program,
                    "note": 60,
                }
                for start, end, program in notes
            ],
        )
        sound(folder / "test_data" / f"{name}.wav", int(name), 60.0)


def medleydb_instruments(folder):
    stems = {
        "A_Song": ["clean electric guitar", "drum set", "male singer"],
        "B_Song": ["violin", "fx/processed sound", "double bass"],
        "C_Song": ["acoustic guitar"],
    }
    for i, (title, names) in enumerate(stems.items()):
        metadata = {"stems": {f"S{n:02d}": {"instrument": name} for n, name in enumerate(names)}}
        path = folder / "Metadata" / f"{title}_METADATA.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(metadata))
        sound(folder / "Audio" / title / f"{title}_MIX.wav", i)


def muchomusic(folder):
    rows = []
    for i in range(8):
        own = i % 2 == 0
        rows.append(
            {
                "question": f"What leads song {i}?",
                "correct_answer": f"A flute {i}",
                "distractor_1_answer": f"Bagpipes number {i}",
                "distractor_2_answer": f"The calm sea {i}",
                "distractor_3_answer": f"Ducks {i}",
                "dataset": "sdd" if own else "musiccaps",
                "dataset_identifier": f"{100 + i // 4}.json" if own else f"yt_{i}_7.json",
                "genre": "Reggae" if own else "",
                "music_knowledge": "['instrumentation', 'melody']" if own else "",
                "music_reasoning": "" if own else "['genre and style']",
            }
        )
        place = folder / ("sdd/audio/00" if own else "musiccaps/audio")
        name = f"{100 + i // 4}.2min.mp3" if own else f"[yt_{i}]-[30-40].wav"
        sound(place / name, i, 1.0)
    _table(folder / "muchomusic.csv", rows)


def muchomusic_file(path):
    """Write answers as the authors' scripts do; `answer_orders` has 0 where the right one is."""
    items = [
        ("B", [1, 0, 2, 3], ["genre"], [], "Rock"),
        ("Answer A or B: a flute", [0, 1, 2, 3], ["genre", "mood"], ["melody"], "Rock"),
        ("nothing", [3, 2, 1, 0], [], ["melody"], ""),
        ("C", [3, 2, 1, 0], [], [], "Folk"),
        ("D", [3, 2, 1, 0], ["mood"], [], "Folk"),
    ]
    items = [
        {
            "id": 7 if i < 2 else i,
            "prompt": "?",
            "answers": ["a flute", "an oboe", "a horn", "a tuba"],
            "answer_orders": order,
            "dataset": "sdd",
            "genre": genre,
            "reasoning": reasoning,
            "knowledge": knowledge,
            "audio_path": "x.mp3",
            "model_output": said,
        }
        for i, (said, order, reasoning, knowledge, genre) in enumerate(items)
    ]
    path.write_text(json.dumps(items))
    return path


def rul_muchomusic(folder):
    folder.mkdir(parents=True, exist_ok=True)
    right = {"17": "Flute", "8": "A very loud brass band"}
    items = {
        name: {
            "question": "Who leads?",
            "caption": "...",
            "correct_answer": answer,
            "distractors": ["Oboe!", "Violin", "Marimba", "Vibraphone"],
            "PI": 0.9,
        }
        for name, answer in right.items()
    }
    (folder / "RUL-MuchoMusic.json").write_text(json.dumps(items))
    for name in items:
        sound(folder / "audio" / f"{name}.mp3", int(name), 1.0)


def mmau_items():
    """Items as in `mmau-test-mini.json`, one of them about speech."""
    sets = [
        ("Male", ["Male", "Female"]),
        ("Slow blues", ["Fast jazz", "Slow blues", "Folk", "Ska"]),
    ]
    return [
        {
            "id": f"item-{i}",
            "audio_id": f"./test-mini-audios/item-{i}.wav",
            "question": f"Question {i}?",
            "choices": choices,
            "answer": answer,
            "dataset": "X",
            "task": "speech" if i == 5 else "music",
            "split": "test-mini",
            "category": "Reasoning",
            "sub-category": "Genre",
            "difficulty": "easy" if i % 2 else "hard",
        }
        for i, (answer, choices) in enumerate(sets * 3)
    ]


def mmau_music(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mmau-test-mini.json").write_text(json.dumps(mmau_items()))
    for item in mmau_items():
        sound(folder / item["audio_id"], len(item["choices"]))


def musiccaps(folder):
    rows = [
        {
            "ytid": f"yt{i}",
            "start_s": "30",
            "end_s": "40",
            "aspect_list": "[]",
            "caption": text,
            "is_audioset_eval": str(i != 1),
        }
        for i, text in enumerate(
            ["A calm piano piece for rain.", "Not asked.", "Loud metal drums."]
        )
    ]
    _table(folder / "musiccaps-public.csv", rows)
    for row in rows:
        sound(folder / "audio" / f"[{row['ytid']}]-[30-40].wav", int(row["ytid"][2:]))


def song_describer(folder):
    rows = [
        {"caption_id": "1", "track_id": "5", "caption": "A slow blues about rain on the roof."},
        {"caption_id": "2", "track_id": "5", "caption": "Blues guitar and a deep voice, slowly."},
        {"caption_id": "3", "track_id": "6", "caption": "Cheerful ukulele with bells and claps."},
        {"caption_id": "4", "track_id": "7", "caption": "Not valid, not asked."},
    ]
    for row in rows:
        row["is_valid_subset"] = str(row["track_id"] != "7")
        row["path"] = f"0{row['track_id']}/{row['track_id']}.mp3"
        sound(
            folder / "audio" / row["path"].replace(".mp3", ".2min.mp3"), int(row["caption_id"]), 1
        )
    _table(folder / "song_describer.csv", rows)


def make(name: str, root: Path) -> Path:
    """Make the data of a benchmark, as `root/NAME`; gives `root`."""
    globals()[name](root / name)
    return root


def say(question: Question, value: object, name: str) -> str:
    """Say a value in words that every reader of a benchmark reads."""
    if question.options and isinstance(value, int):
        return question.options[value] if name == "mmau_music" else f"[[{LETTERS[value]}]]"
    if isinstance(value, frozenset):
        return "I hear " + ", ".join(sorted(value)) + "."
    if isinstance(value, tuple):
        return value[0]
    return f"It is {value} BPM." if isinstance(value, float) else f"It is {value}."


def read_all(root: Path):
    """Make the data of every benchmark: each task with its questions, by name."""
    found = {}
    for name in catalog.names("benchmarks.published"):
        task = catalog.load("benchmarks.published", name).TASK
        found[name] = (task, task.read(make(name, root) / name))
    return found


def scores(task, questions, value_of, n_draws=0):
    """Scores by reader of answers that say `value_of(question)`."""
    said = {"audio": {q.id: say(q, value_of(q), task.name) for q in questions}}
    table = score_task(task, questions, said, n_draws)
    return table, {
        reader: {name: estimate.value for name, estimate in column.scores.items()}
        for reader, column in table["audio"].items()
    }
