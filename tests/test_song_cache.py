"""What was found out about a song is found again, by this process and the next, and never harms."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np
import pytest
import torch
from assistant_parts import noise
from song_parts import RATE, song_encoder, tune

from llark_py import tools
from llark_py.analysis import harmony, listening, notes, song_cache
from llark_py.analysis.kept_hearing import pack_hearing, unpack_heads, unpack_hearing
from llark_py.analysis.song_cache import SongAnalysis, describe_version
from llark_py.audio import Audio
from llark_py.cli import main
from llark_py.encoders.mini_version import weights_version
from llark_py.errors import ConfigError
from llark_py.tools import Cancelled, Workspace, run_tool
from llark_py.track import Note

NOTES = (Note(0.1, 1 / 3, 60, 90), Note(0.5, 1.0, 64, 80, "piano"))


class Value(NamedTuple):
    """A measurement."""

    number: float
    words: tuple[str, ...]


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LLARK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(song_cache, "_complained_of", set())
    return tmp_path / "cache" / "songs"


@pytest.fixture(scope="module")
def encoder():
    return song_encoder()


def recall(song=None, value=NOTES, name="notes", version="1", computed=None):
    def compute():
        if computed is not None:
            computed.append(value)
        return value

    return SongAnalysis(song or noise()).recall(name, version, tuple[Note, ...], compute)


def test_tests_never_use_the_real_cache():
    assert song_cache.state().folder.parent.name.startswith("llark-tests-")


def test_a_value_is_computed_once_and_comes_back_exactly(cache):
    computed = []
    assert recall(computed=computed) == recall(computed=computed) == NOTES
    assert len(computed) == 1 and all(type(n) is Note for n in recall())
    value = Value(0.1 + 0.2, ("ä", ""))
    for _ in range(2):
        song = SongAnalysis(noise())
        assert song.recall("other", "1", Value, lambda: value) == value
    assert song.recall("notes", "1", tuple[Note, ...], lambda: ()) == NOTES


def test_other_sound_other_version_other_name_are_other_entries(cache):
    computed = []
    recall(computed=computed)
    recall(noise(seed=1), computed=computed)
    recall(version="2", computed=computed)
    recall(name="melody", computed=computed)
    assert len(computed) == 4 == song_cache.state().n_files


def test_versions_follow_code_and_arguments(tmp_path):
    source = tmp_path / "code.py"
    source.write_text("a = 1")
    before = describe_version(source, 0.0, None)
    assert describe_version(source, 0.0, None) == before != describe_version(source, 0.5, None)
    source.write_text("a = 2")
    assert describe_version(source, 0.0, None) != before


def test_an_error_is_not_kept(cache):
    with pytest.raises(ZeroDivisionError):
        SongAnalysis(noise()).recall("notes", "1", tuple[Note, ...], lambda: 1 // 0)
    assert recall() == NOTES


class Trap:
    """Pickled, it would run code where it is read."""

    def __reduce__(self):
        return os.mkdir, ("trapped",)


def as_npy(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def as_pickled_array(path):
    with path.open("wb") as file:
        np.savez(file, facts=np.array([Trap()], dtype=object))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"not a zip file at all"),
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"piano", b"pjano")),
        lambda path: path.write_bytes(pickle.dumps(Trap())),
        as_npy,
        as_pickled_array,
        lambda path: np.savez(path, other=np.zeros(2)),
        lambda path: np.savez(path, facts=np.frombuffer(b'[["x"]]', np.uint8)),
    ],
)
def test_a_broken_file_is_deleted_and_made_anew(cache, caplog, monkeypatch, tmp_path, spoil):
    monkeypatch.chdir(tmp_path)
    recall()
    (path,) = cache.iterdir()
    spoil(path)
    computed = []
    assert recall(computed=computed) == NOTES and len(computed) == 1
    assert "is broken and is computed anew" in caplog.text
    assert recall(computed=computed) == NOTES and len(computed) == 1
    assert not (tmp_path / "trapped").exists()


def test_what_was_not_used_for_longest_goes_first(cache, monkeypatch):
    big = np.zeros(300_000, np.float32)  # three of these are more than 3 MiB, two are not
    monkeypatch.setenv("LLARK_CACHE_MIB", "3")
    songs = [SongAnalysis(noise(seed=i)) for i in range(3)]

    def there():
        return [s.read("big", "1", lambda arrays, facts: True) is not None for s in songs]

    for age, song in enumerate(songs[:2]):
        song.write("big", "1", {"x": big}, b"{}")
        os.utime(song._path("big", "1"), times=(time.time() - 500 + age,) * 2)
    assert songs[0].read("big", "1", lambda arrays, facts: arrays["x"].shape) == big.shape
    songs[2].write("big", "1", {"x": big}, b"{}")
    assert there() == [True, False, True]
    songs[1].write("big", "1", {"x": np.zeros(900_000, np.float32)}, b"{}")  # alone too much
    assert there() == [True, False, True]


def test_only_what_is_ours_is_ever_deleted(cache, monkeypatch):
    recall()
    strangers = [cache / "thesis.npz", cache.parent / "sounds.sf2"]
    for stranger in strangers:
        stranger.write_bytes(bytes(3 << 20))
    dead, alive = cache / ".unfinished-dead", cache / ".unfinished-alive"
    dead.write_bytes(b"x")
    alive.write_bytes(b"x")
    os.utime(dead, times=(time.time() - 7200,) * 2)
    monkeypatch.setenv("LLARK_CACHE_MIB", "1")
    recall(version="2")
    assert not dead.exists() and alive.exists() and song_cache.state().n_files == 2
    assert song_cache.clear().n_files == 2
    assert sorted(cache.iterdir()) == strangers[:1] and strangers[1].exists()


@pytest.mark.parametrize("name", ["LLARK_CACHE", "LLARK_CACHE_MIB"])
def test_the_cache_can_be_turned_off(cache, monkeypatch, name):
    monkeypatch.setenv(name, "OFF" if name == "LLARK_CACHE" else "0")
    computed = []
    recall(computed=computed)
    recall(computed=computed)
    assert len(computed) == 2 and not cache.exists() and song_cache.state().folder is None


@pytest.mark.parametrize("limit", ["a lot", "-1", "1.5", "1e3"])
def test_a_wrong_limit_is_told(cache, monkeypatch, limit):
    monkeypatch.setenv("LLARK_CACHE_MIB", limit)
    with pytest.raises(ConfigError, match="allowed: a whole number of MiB"):
        recall()


def test_a_folder_that_cannot_be_used_is_told_once(monkeypatch, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("LLARK_CACHE", str(tmp_path / "file"))
    computed = []
    for version in "12":
        assert recall(version=version, computed=computed) == NOTES
    assert len(computed) == 2
    assert len([r for r in caplog.records if r.levelno == logging.WARNING]) == 1
    assert "LLARK_CACHE" in caplog.text


WRITER = """
import sys, numpy as np
from llark_py.analysis.song_cache import SongAnalysis
from llark_py.audio import Audio
song = SongAnalysis(Audio(np.full(100, 0.5, np.float32), 100))
mine = np.full(200_000, float(sys.argv[1]), np.float32)
for _ in range(60):
    song.write("race", "1", {"x": mine}, b"{}")
    found = song.read("race", "1", lambda arrays, facts: arrays["x"])
    assert found is None or (found[0] in (1, 2) and (found == found[0]).all())
"""


def test_two_processes_write_at_once(cache):
    runs = [
        subprocess.Popen([sys.executable, "-c", WRITER, n], stderr=subprocess.PIPE) for n in "12"
    ]
    for run in runs:
        assert run.communicate()[1] == b"" and run.returncode == 0
    assert [p.suffix for p in cache.iterdir()] == [".npz"]


# --- what the encoder hears -----------------------------------------------------------------


def song(seconds=24.0):
    return Audio(tune(seconds), RATE)


def test_a_hearing_survives_the_disk(cache, encoder):
    hearing = encoder.listen(tune(24.0))
    entry = SongAnalysis(song())
    entry.write("hearing", "1", *pack_hearing(hearing, encoder.config))
    back = entry.read("hearing", "1", unpack_hearing)
    assert back.form == hearing.form and back.silent is hearing.silent
    torch.testing.assert_close(back.heard.tokens, hearing.heard.tokens, atol=2e-3, rtol=0)
    heads, labels = entry.read("hearing", "1", unpack_heads)
    assert labels.sounds == encoder.config.sounds
    assert labels.tempo_bins_bpm == encoder.config.tempo_bins_bpm.tolist()
    assert heads.keys() == hearing.heads().keys() == back.heads().keys()
    for name, p in hearing.heads().items():
        assert heads[name].dtype == np.float32 and np.array_equal(heads[name], back.heads()[name])
        np.testing.assert_allclose(heads[name], p, atol=2.5e-4 if "_frames" in name else 0)


def test_tokens_too_large_for_half_precision_stay_as_they_are(encoder):
    hearing = encoder.listen(tune(3.0))
    hearing.heard.tokens *= 10 / hearing.heard.tokens.abs().max()
    back = unpack_hearing(*pack_hearing(hearing, encoder.config))
    assert torch.equal(back.heard.tokens, hearing.heard.tokens)


def forget(encoder):
    """Make the memory of listening empty, as in a new process."""
    listening.listen_with(encoder)


@pytest.fixture
def lent(encoder):
    forget(encoder)
    yield encoder
    forget(None)


def test_a_song_is_heard_once_by_all_processes(cache, lent, monkeypatch):
    first, heard = listening.listen(song()), listening.hear(song())
    forget(lent)
    monkeypatch.setattr(lent, "listen", None)
    again = listening.listen(song())
    assert np.array_equal(again.key, first.key) and np.array_equal(again.tempo, first.tempo)
    assert again.unplayed == first.unplayed and again.heads.keys() == first.heads.keys()
    assert np.array_equal(again.tempo_bins_bpm, first.tempo_bins_bpm)
    assert listening.hear(song()).form == heard.form
    assert song_cache.state().n_files == 1


def test_other_weights_hear_for_themselves(cache, lent):
    listening.listen(song())
    version = weights_version(lent)
    other = song_encoder(seed=1)
    assert weights_version(song_encoder()) == version != weights_version(other)
    forget(other)
    assert np.array_equal(listening.listen(song()).key, other.analyse(tune(24.0))["key"])
    assert song_cache.state().n_files == 2


def test_an_encoder_in_training_leaves_the_disk_alone(cache, lent):
    listening.listen(song())
    entry = next(cache.iterdir())
    with listening.hearing_with(song_encoder(seed=1)):
        listening.listen(song(30.0))
    with listening.hearing_with(lent):
        entry.write_bytes(b"never read")
        listening.listen(song())
        listening.hear(song())
    assert list(cache.iterdir()) == [entry] and entry.read_bytes() == b"never read"
    assert listening.listen(song()) is not None and entry.stat().st_size > 1000


KEPT = """
import sys
import numpy as np
from llark_py import tools
from llark_py.audio import Audio
audio = Audio(np.load(sys.argv[1]), 16_000)
result = tools.run_tool("estimate_key", {}, {"a": audio}, tools.Workspace())
print(result.content, "torch" in sys.modules)
"""


def test_the_next_process_answers_without_the_encoder(cache, tmp_path):
    np.save(tmp_path / "song.npy", tune(12.0))

    def ask():
        command = [sys.executable, "-c", KEPT, str(tmp_path / "song.npy")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    (*first, loaded), (*again, loaded_again) = ask(), ask()
    assert first == again and (loaded, loaded_again) == ("True", "False")


# --- tools ----------------------------------------------------------------------------------


def test_notes_are_kept_by_span_and_the_midi_is_written_again(cache, monkeypatch):
    t = np.arange(3 * RATE) / RATE
    audio = Audio((0.4 * np.sin(2 * np.pi * 440 * t) * np.exp(-t)).astype(np.float32), RATE)
    workspace = Workspace()

    def run(**arguments):
        return run_tool("transcribe_notes", arguments, {"audio_1": audio}, workspace)

    first = run()
    part = run(start_s=0.0, end_s=1.5)
    assert first.error is None and part.error is None
    monkeypatch.setattr(notes, "_session", None)
    again = run()
    assert again.details == {**first.details, "midi": "artefact_3"}
    midi = [a.path.read_bytes() for a in workspace.artefacts]
    assert midi[0] == midi[2] and len(midi) == 3
    assert run(start_s=0.0, end_s=1.25).error  # not kept, and there is no network to ask


def test_listening_reports_and_can_be_cancelled(cache, lent, monkeypatch):
    monkeypatch.setattr(harmony, "check_music", lambda posteriors: None)
    audio = {"audio_1": song(100.0)}
    told = []
    seen = Workspace(report=lambda fraction, note: told.append((note, fraction)))
    asked = iter([False] * 3)
    with pytest.raises(Cancelled):
        run_tool("estimate_key", {}, audio, Workspace(is_cancelled=lambda: next(asked, True)))
    assert song_cache.state().n_files == 0
    assert run_tool("estimate_key", {}, audio, seen).error is None
    fractions = [fraction for note, fraction in told if note == "listening"]
    assert len(fractions) >= 4 and fractions == sorted(fractions) and fractions[-1] > 0.5


def test_who_waits_for_another_to_listen_can_be_cancelled(cache):
    gone = iter([False])
    waiting = Workspace(is_cancelled=lambda: next(gone, True))
    with listening._lock, pytest.raises(Cancelled):
        run_tool("estimate_key", {}, {"audio_1": song()}, waiting)


def test_tools_that_are_never_heard_of_again_stop_at_once(cache):
    gone = Workspace(is_cancelled=lambda: True)
    heard = {"audio_1": song(), "audio_2": song(30.0)}
    for name in tools.names():
        arguments = dict(zip(tools.parameters(name)[0], heard, strict=False))
        if name == "separate_like":
            arguments |= {"example_start_s": 0.0, "example_end_s": 2.0}
        with pytest.raises(Cancelled):
            run_tool(name, arguments, heard, gone)


# --- llark doctor ---------------------------------------------------------------------------


def test_the_doctor_shows_and_empties_the_cache(cache, capsys, monkeypatch):
    recall()
    main(["doctor"])
    assert f"of 1024 MiB in 1 files, {cache}" in capsys.readouterr().out
    main(["doctor", "--clear-cache"])
    printed = capsys.readouterr()
    assert f"emptied {cache}: 1 files, 0.0 MiB" in printed.err
    assert "in 0 files" in printed.out and not list(cache.iterdir())
    monkeypatch.setenv("LLARK_CACHE", "off")
    main(["doctor", "--clear-cache"])
    printed = capsys.readouterr()
    assert "the cache is off" in printed.err and "off (LLARK_CACHE" in printed.out
