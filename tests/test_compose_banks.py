"""Soundfonts made here: recorded notes, drum kits, what is kept, what is told when they lack."""

from __future__ import annotations

import io
import random
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llark_py.compose import banks, recordings, soundfonts, takes
from llark_py.compose.kits import KIT_KEYS, draw_kit, soundfont_of_kits
from llark_py.compose.render import render
from llark_py.compose.sampler import can_play
from llark_py.compose.score import compose
from llark_py.compose.score_parts import Part, ScoreNote
from llark_py.compose.soundfonts import DRUMS, LEFT_OUT, SOUNDFONTS, check_soundfont
from llark_py.errors import ConfigError, MissingExtraError

ROOT = Path(__file__).parents[1]
RATE = 22_050


def tone(midi: float, seconds: float = 2.0, rate: int = RATE) -> np.ndarray:
    """A held note with harmonics that begins after a tenth of a second."""
    t = np.arange(round(seconds * rate)) / rate
    hz = 440 * 2 ** ((midi - 69) / 12)
    sound = sum(np.sin(2 * np.pi * k * hz * t + k) / k for k in (1, 2, 3))
    return np.asarray(np.where(t < 0.1, 0.0, 0.3 * sound), np.float32)


def wav(samples: np.ndarray, kind: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=kind)
    return file.getvalue()


def package(folder: Path, name: str, notes: dict[str, float]) -> None:
    """An npm package whose files sound the given pitches."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / f"tonejs-instrument-{name}-mp3-1.0.0.tgz", "w:gz") as archive:
        for note, midi in notes.items():
            data = wav(tone(midi), "MP3")
            member = tarfile.TarInfo(f"package/{note}.mp3")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


@pytest.fixture
def sounds(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LLARK_SOUNDS", str(tmp_path))
    package(tmp_path / "recordings", "flute", {"C5": 72.0, "Gs5": 80.1, "C6": 72.0})
    return tmp_path


def play(path: Path, bank: int, program: int, pitch: int, seconds: float) -> np.ndarray:
    import tinysoundfont

    synth = tinysoundfont.Synth(samplerate=RATE)
    loaded = synth.sfload(str(path))
    assert synth.sfpreset_name(loaded, bank, program) is not None
    synth.program_select(0, loaded, bank, program, bank == 128)
    synth.noteon(0, pitch, 100)
    return np.frombuffer(synth.generate_simple(round(seconds * RATE)), np.float32)[::2]


def pitch_of(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 19))
    return 69 + 12 * np.log2(spectrum.argmax() * RATE / (1 << 19) / 440)


@pytest.mark.parametrize("pitch", [70, 76, 84])
def test_recorded_notes_are_held_in_tune(sounds, pitch):
    made = banks.playable(soundfonts.soundfont_path("recordings"))
    sound = play(made, 0, 73, pitch, 4.0)
    # Longer than it was recorded, so the loop sounds; from the C that was named falsely nothing.
    late = sound[3 * RATE :]
    assert np.abs(late).max() > 0.3 * np.abs(sound).max()
    assert pitch_of(late) == pytest.approx(pitch, abs=0.08)
    assert np.argmax(np.abs(sound) > 0.1 * np.abs(sound).max()) < 0.03 * RATE


def test_what_was_made_of_recordings_is_kept_until_they_change(sounds, monkeypatch):
    folder = soundfonts.soundfont_path("recordings")
    made = banks.playable(folder)
    assert made.parent == sounds and made.suffix == ".sf2"
    monkeypatch.setattr(banks, "soundfont_of_recordings", lambda folder: 1 / 0)
    assert banks.playable(folder) == made
    package(folder, "oboe", {"C5": 72.0})
    with pytest.raises(ZeroDivisionError):
        banks.playable(folder)


def test_damaged_and_missing_recordings_are_told(sounds, tmp_path):
    with pytest.raises(ConfigError, match="no packages"):
        recordings.soundfont_of_recordings(tmp_path / "none")
    for file in (sounds / "recordings").iterdir():
        file.write_bytes(b"no archive")
    with pytest.raises(ConfigError, match="damaged; download it anew"):
        check_soundfont("recordings")
    with pytest.raises(ConfigError, match="silent"):
        takes.read_take(wav(np.zeros(RATE, np.float32)), 1.0)
    with pytest.raises(ConfigError, match="no drum kits"):
        soundfont_of_kits(tmp_path / "none")


@pytest.mark.parametrize("name", [n for n in SOUNDFONTS if n not in ("timgm", "synth")])
def test_soundfonts_that_are_not_there_are_told_in_one_line_with_a_command(
    name, tmp_path, monkeypatch
):
    monkeypatch.setenv("LLARK_SOUNDS", str(tmp_path))
    monkeypatch.setattr(Path, "exists", lambda self: False)
    with pytest.raises(MissingExtraError, match=r"apt install|training/sounds\.sh") as raised:
        check_soundfont(name)
    assert "\n" not in str(raised.value)


def drum_kit(folder: Path, pieces: dict[str, float]) -> None:
    folder.mkdir(parents=True)
    body = ""
    for name, midi in pieces.items():
        (folder / f"{name}.wav").write_bytes(wav(tone(midi, 0.4)))
        body += f"<instrument><name>{name}</name><volume>1</volume><layer>"
        body += f"<filename>{name}.wav</filename><min>0</min></layer></instrument>"
    text = f'<drumkit_info xmlns="http://www.hydrogen-music.org/drumkit">{body}</drumkit_info>'
    (folder / "drumkit.xml").write_text(text)


def test_kits_play_their_pieces_and_those_of_relatives(tmp_path):
    whole = {
        "Kick": 40, "Snare": 60, "Closed HH": 80, "Tom Low": 50, "Crash": 85, "Stick": 70,
        "Hand Clap": 72, "Cowbell": 74, "Conga": 62, "Shaker": 90, "Clave": 88, "Tambourine": 86,
        "Bongo Hi": 66, "Bongo Lo": 64,
    }  # fmt: skip
    drum_kit(tmp_path / "GMRockKit", whole)
    drum_kit(tmp_path / "VariBreaks", {"Kick": 42, "Snare": 61, "Hat 1 Cl": 81})
    path = tmp_path / "kits.sf2"
    path.write_bytes(soundfont_of_kits(tmp_path))
    assert pitch_of(play(path, 128, 0, 36, 0.3)) == pytest.approx(40, abs=0.2)
    assert pitch_of(play(path, 128, 11, 36, 0.3)) == pytest.approx(42, abs=0.2)
    assert pitch_of(play(path, 128, 11, 46, 0.3)) == pytest.approx(81, abs=0.2)
    # A tom that neither has is the low tom of the first, higher.
    assert pitch_of(play(path, 128, 11, 47, 0.3)) == pytest.approx(54, abs=0.2)
    for key in KIT_KEYS:
        assert np.abs(play(path, 128, 11, key, 0.1)).max() > 0.02


def test_recorded_kits_play_only_drums_they_have(monkeypatch):
    stroke = ScoreNote(0.0, 0.2, 36, 90)
    drums = Part("drums", "drums", 0, 100, 64, (stroke,))
    assert can_play("kits", drums, 16_000)
    assert not can_play("kits", Part("piano", "chords", 0, 100, 64, (stroke,)), 16_000)
    odd = Part(
        "drums", "drums", 0, 100, 64, (stroke._replace(pitch=min(set(range(128)) - KIT_KEYS)),)
    )
    assert not can_play("kits", odd, 16_000)
    assert len({draw_kit(0, random.Random(seed)) for seed in range(60)}) > 6


def test_a_soundfont_that_was_not_fetched_is_told_with_what_fetches_it(tmp_path, monkeypatch):
    monkeypatch.setenv("LLARK_SOUNDS", str(tmp_path))
    with pytest.raises(MissingExtraError, match=r"'sonivox' \(.*bash training/sounds.sh"):
        check_soundfont("sonivox")
    (tmp_path / "sonivox.sf2").write_bytes(b"")
    assert soundfonts.soundfont_path("sonivox") == tmp_path / "sonivox.sf2"


@pytest.mark.parametrize("name", ["generaluser", "freepats", "sonivox"])
def test_programs_like_the_held_out_ones_are_not_played_in_blends(name):
    notes = (ScoreNote(0.0, 0.5, 60, 90),)
    for program in LEFT_OUT[name]:
        instrument = "drums" if program == DRUMS else "piano"
        assert not can_play(name, Part(instrument, "melody", program % 128, 100, 64, notes), 16_000)


def test_optional_soundfonts_can_be_played():
    played = 0
    for name in ("generaluser", "recordings", "kits", "sonivox"):
        try:
            check_soundfont(name)
        except MissingExtraError as error:
            print(error)
            continue
        sound = render(compose(2, 2.0, sung=False), f"{name}+timgm").samples
        assert np.isfinite(sound).all() and np.abs(sound).max() > 0.005
        played += 1
    if not played:
        pytest.skip("no optional soundfont is installed: bash training/sounds.sh")


def test_docs_list_every_soundfont_with_a_licence_and_its_use():
    rows = re.findall(r"^\|(.+)\|$", (ROOT / "docs" / "data.md").read_text(), re.MULTILINE)
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    table = {row[0].strip("`"): row for row in cells if len(row) == 5 and row[0] != "name"}
    table.pop("---", None)
    assert tuple(table) == SOUNDFONTS
    assert all(len(licence) > 2 and use for *_, licence, use in table.values())
    for name, (_, command) in soundfonts._INSTALLED.items():
        assert command.split()[2] in table[name][2]


def test_the_script_gets_what_the_code_reads():
    script = (ROOT / "training" / "sounds.sh").read_text()
    for package_name in recordings.PACKAGES:
        name = package_name.removeprefix("tonejs-instrument-").removesuffix("-mp3")
        assert re.search(rf"\b{name}\b", script)
    assert f'"$SOUNDS/{soundfonts.SONIVOX}.sf2"' in script
    for name, (_, command) in soundfonts._INSTALLED.items():
        wanted = name != "csound"  # not used in training
        assert all((p in script) == wanted for p in command.split()[2:])
