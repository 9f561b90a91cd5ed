"""What a record says of a song is what the tools and the model say, and bad files say why."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from catalogue_parts import HereWorkers, run

from llark_py.audio import load_audio, save_audio
from llark_py.catalogue.captioner import load_captioner, read_mood, read_tags
from llark_py.catalogue.decode import decode_song
from llark_py.catalogue.record import Record, pack_embedding, unpack_embedding
from llark_py.catalogue.scan import Song
from llark_py.catalogue.workers import WorkerDied, Workers
from llark_py.cli import main
from llark_py.compose.clip import make_clip
from llark_py.tools import Workspace, run_tool

RATE = 8000


@pytest.fixture(scope="module")
def captioner():
    return load_captioner(None)


@pytest.fixture(scope="module")
def catalogue(captioner, tmp_path_factory):
    """Describe one clip and all hostile files; give the folder, records and failures."""
    folder = tmp_path_factory.mktemp("songs")
    _, clip = make_clip(3, 21.0, style="rock")
    save_audio(clip, folder / "clip.wav")
    write_hostile(folder)
    out = folder.parent / "c.jsonl"
    _, failures = run([folder], out, captioner)
    records = [Record.model_validate_json(line) for line in out.read_text().splitlines()]
    by_name = {os.path.basename(r.path): r for r in records}
    return folder, by_name, {os.path.basename(f.path): f.reason for f in failures}


def write_hostile(folder):
    """Write more than fifty files and a folder that nobody would want in a catalogue."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, RATE * 4).astype(np.float32)

    def wav(name, samples, rate=RATE, **options):
        soundfile.write(folder / name, samples, rate, **options)

    # Nothing, text, junk, and files that are cut off.
    (folder / "empty.mp3").write_bytes(b"")
    (folder / "text.mp3").write_text("not a song\n" * 50)
    (folder / "page.wav").write_text("<html></html>")
    for i in range(8):
        (folder / f"junk{i}.{('mp3', 'ogg', 'flac', 'm4a')[i % 4]}").write_bytes(rng.bytes(5000))
    wav("whole.wav", noise)
    for kind in ("wav", "flac", "ogg", "mp3"):
        wav(f"whole.{kind}", noise)
        data = (folder / f"whole.{kind}").read_bytes()
        (folder / f"half.{kind}").write_bytes(data[: len(data) // 2])
        (folder / f"head.{kind}").write_bytes(data[:30])
        (folder / f"renamed.{kind}").write_bytes((folder / "whole.wav").read_bytes())
    # Too short, too long, too many, too fast, too loud, not numbers.
    for n in (0, 1, 80, 400, 4000):
        wav(f"{n:04d}_samples.wav", noise[:n])
    for channels in (3, 8, 32):
        wav(f"{channels}_channels.wav", np.tile(noise[:, None], channels))
    for rate in (192_000, 384_000, 4000, 11):
        wav(f"{rate}_hz.wav", np.resize(noise, max(rate, 100)), rate)
    for name, value in (("nan", np.nan), ("infinite", np.inf), ("loud", 1e6), ("dc", 1.0)):
        samples = noise.copy()
        samples[100:] = value
        wav(f"{name}.wav", samples, subtype="FLOAT")
    wav("silence.wav", np.zeros(RATE * 5))
    wav("hours.wav", np.zeros(10))
    with (folder / "hours.wav").open("r+b") as file:  # three hours, most of them a hole in the file
        n_bytes = 3 * 3600 * RATE * 2
        for at, size in ((4, 36 + n_bytes), (40, n_bytes)):
            file.seek(at)
            file.write(size.to_bytes(4, "little"))
        file.truncate(44 + n_bytes)
    # Of other kinds than their names say, odd names, a size that was never filled in.
    (folder / "tag.mp3").write_bytes(b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10))
    (folder / "archive.ogg").write_bytes(b"PK\x03\x04" + rng.bytes(2000))
    (folder / "playlist.m4a").write_text(f"#EXTM3U\n{folder}/whole.wav\n")
    (folder / "line\nbreak.wav").write_bytes((folder / "whole.wav").read_bytes())
    streamed = bytearray((folder / "whole.wav").read_bytes())
    streamed[40:44] = b"\xff" * 4
    (folder / "streamed.wav").write_bytes(streamed)
    wav("law.wav", noise, subtype="ULAW")
    data = bytearray((folder / "whole.flac").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    (folder / "scratched.flac").write_bytes(data)
    (folder / "folder.mp3").mkdir()
    (folder / "unreadable.wav").write_bytes((folder / "whole.wav").read_bytes())
    (folder / "unreadable.wav").chmod(0)
    (folder / "lost.wav").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.wav")


def test_every_hostile_file_ends_as_an_error_or_an_honest_record(catalogue):
    folder, records, failures = catalogue
    scan_errors = [
        json.loads(x) for x in (folder.parent / "c.errors.jsonl").read_text().splitlines()
    ]
    failures = {os.path.basename(line["path"]): line["reason"] for line in scan_errors}
    # The clip, and four files that are as they should be, are no hostile ones.
    assert len(os.listdir(folder)) >= 50 + 5 and not records.keys() & failures.keys()
    assert records.keys() | failures.keys() == set(os.listdir(folder))
    for name in ("empty.mp3", "text.mp3", "page.wav", "nan.wav", "infinite.wav", "hours.wav",
                 "half.wav", "half.ogg", "lost.wav", "pipe.wav", "0000_samples.wav",
                 "0001_samples.wav", "0080_samples.wav", "0400_samples.wav", "scratched.flac",
                 "folder.mp3"):  # fmt: skip
        assert name in failures, name
    assert not [r for r in failures.values() if "Error:" in r], failures
    assert "900 s" in failures["hours.wav"] and "0 bytes" in failures["empty.mp3"]
    for name in ("renamed.mp3", "8_channels.wav", "192000_hz.wav", "silence.wav", "loud.wav"):
        assert name in records, (name, failures.get(name))


def decode_as_nobody(path, send):
    """Decode a file as a user who may not read it; root may read everything."""
    os.setuid(65534)
    facts = os.stat(path)
    send.send(decode_song(Song(str(path), facts.st_size, facts.st_mtime_ns), RATE, RATE))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_file_that_may_not_be_read_says_so(tmp_path):
    path = tmp_path / "mine.wav"
    soundfile.write(path, np.zeros(RATE), RATE)
    path.chmod(0)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        if folder.stat().st_uid == 0 and folder.name:
            folder.chmod(folder.stat().st_mode | 0o011)
    receive, send = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=decode_as_nobody, args=(path, send)
    )
    process.start()
    process.join(60)
    assert receive.poll() and "Permission denied" in receive.recv().reason


def test_silence_and_moments_have_records_that_claim_nothing(catalogue):
    _, records, _ = catalogue
    silence = records["silence.wav"]
    assert silence.facts.sound.value == "silence" and silence.embedding is None
    assert silence.captions.tags == ()
    assert "silent" in silence.unknown["tempo_bpm"] and "silent" in silence.unknown["loudness_lufs"]
    for name in ("silence.wav", "4000_samples.wav"):
        known = records[name].facts.model_dump(exclude_none=True)
        assert known.keys() <= {"sound", "loudness_lufs", "style"}, (name, known)
        assert records[name].unknown.keys() >= {"key", "tempo_bpm", "instruments", "sections"}


def test_facts_are_those_of_the_tools(catalogue):
    folder, records, _ = catalogue
    record, audios = records["clip.wav"], {"audio_1": load_audio(folder / "clip.wav")}

    def told(tool):
        return run_tool(tool, {}, audios, Workspace()).details

    facts = record.facts
    assert facts.sound.value == "music" and record.duration_s == 21.0
    assert facts.tempo_bpm.value == told("estimate_tempo")["tempo_bpm"]
    assert facts.tempo_bpm.source == "tool:estimate_tempo"
    assert facts.key.value == told("estimate_key")["key"]
    assert facts.time_signature.value == told("track_beats")["time_signature"]
    assert facts.chords.value.progression == told("recognize_chords")["progression"]
    assert {p.family for p in facts.instruments.value} == told("detect_instruments")[
        "families"
    ].keys()
    assert facts.vocals.value.singer == told("detect_vocals")["singing"]
    assert " ".join(s.label for s in facts.sections.value) == told("find_sections")["form"]
    assert facts.loudness_lufs.value == told("measure_loudness")["loudness_lufs"]
    assert facts.style.source == "model" and 0 < facts.style.confidence <= 1
    assert record.captions.line and record.captions.paragraph


def test_a_song_is_described_the_same_in_any_batch(catalogue, captioner, tmp_path):
    folder, records, _ = catalogue
    run([folder / "clip.wav"], tmp_path / "alone.jsonl", captioner)
    alone = Record.model_validate_json((tmp_path / "alone.jsonl").read_text())
    among = records["clip.wav"]
    assert alone.captions == among.captions
    assert alone.facts.model_dump(exclude={"style"}) == among.facts.model_dump(exclude={"style"})
    cosine = unpack_embedding(alone.embedding) @ unpack_embedding(among.embedding)
    assert cosine == pytest.approx(1.0, abs=1e-3)


def test_nothing_is_kept_of_songs_on_the_disk_or_in_memory(captioner, tmp_path):
    """A record must not depend on what was heard before, nor a catalogue fill the cache."""
    from llark_py.analysis import song_cache

    before = song_cache.state().n_files
    save_audio(make_clip(4, 3.0)[1], tmp_path / "clip.wav")
    run([tmp_path / "clip.wav"], tmp_path / "c.jsonl", captioner)
    assert song_cache.state().n_files == before


def test_embeddings_survive_being_packed():
    vector = np.random.default_rng(0).normal(size=256).astype(np.float32)
    packed = pack_embedding(vector)
    assert len(packed) == 684
    assert unpack_embedding(packed) == pytest.approx(vector / np.linalg.norm(vector), abs=2e-4)


def test_tags_and_moods_are_read_out_of_sentences():
    assert read_tags("In keywords: folk, cheerful, 4/4, folk.") == ("folk", "cheerful", "4/4")
    assert read_tags("- slow\n- calm") == ("slow", "calm")
    assert read_mood("I hear a Cheerful mood, not tense.").value == "cheerful"
    assert read_mood("Nobody can tell.") is None


def test_work_that_kills_its_worker_is_told_and_other_work_is_done():
    with Workers(1) as workers:
        first, last, third = (workers.submit(*w) for w in ((abs, -1), (os._exit, 1), (abs, -3)))
        assert first.result() == 1
        with pytest.raises(WorkerDied):
            last.result()
        assert third.result() == 3
        assert workers.submit(abs, -4).result() == 4


def test_worker_processes_give_what_this_one_gives(tmp_path):
    save_audio(make_clip(5, 4.0)[1], tmp_path / "clip.wav")
    facts = os.stat(tmp_path / "clip.wav")
    song = Song(str(tmp_path / "clip.wav"), facts.st_size, facts.st_mtime_ns)
    with Workers(1) as workers:
        there = workers.submit(decode_song, song, 16_000, 16_000).result()
    here = HereWorkers().submit(decode_song, song, 16_000, 16_000).result()
    assert (there.features == here.features).all() and there.heard == here.heard
    assert there.loudness_lufs == here.loudness_lufs


def test_workers_of_a_script_that_imports_torch_have_one_thread_each(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    script = tmp_path / "script.py"
    script.write_text(
        "import torch\n"
        "from llark_py.catalogue.workers import Workers\n"
        "if __name__ == '__main__':\n"
        "    torch.set_num_threads(2)\n"
        "    with Workers(1) as workers:\n"
        "        print(workers.submit(torch.get_num_threads).result())\n"
    )
    told = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["1"]


def test_the_command_tells_mistakes_before_it_loads_anything(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.wav").write_text("")
    for arguments, complaint in (
        ([], "give recordings"),
        (["nowhere"], "no file, folder or match"),
        (["a.wav", "--out", "a.txt"], "ends in .jsonl"),
        (["a.wav", "--format", "xml"], "no format 'xml'"),
        (["a.wav", "--sidecar", "pdf"], "no format 'pdf'"),
        (["a.wav", "--ask", " "], "empty question"),
        (["nothing*"], "no file, folder or match"),
    ):
        assert main(["caption", *arguments]) == 2
        assert complaint in capsys.readouterr().err
    assert main(["caption", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert {"path", "captions", "facts", "asked", "model"} <= schema["properties"].keys()
