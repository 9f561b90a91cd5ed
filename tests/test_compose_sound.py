"""What the composer plays: in tune, audible, finite, and the same whatever was played before."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pretty_midi
import pytest

from llark_py.audio import Audio, load_audio
from llark_py.commands.compose import compose as compose_command
from llark_py.compose.clip import NOT_MUSIC, make_clip
from llark_py.compose.harmony import INTERVALS
from llark_py.compose.render import render
from llark_py.compose.score import Part, Score, ScoreNote
from llark_py.compose.soundfonts import SOUNDFONTS, soundfont_path
from llark_py.compose.styles import STYLES
from llark_py.errors import ConfigError, MissingExtraError, UnknownNameError
from llark_py.theory import pitch_class
from llark_py.track import Track

RATE = 16000


@pytest.fixture(scope="module")
def clips() -> list[tuple[Track, Audio]]:
    return [make_clip(seed, 6.0, augment=seed % 2 == 0) for seed in range(40)]


def one_note(pitch: int, *, instrument: str, program: int, detune: float = 0.0) -> Score:
    """A score of one held note."""
    note = ScoreNote(0.0, 2.0, pitch, 100)
    return Score(
        seed=0,
        duration_s=2.0,
        style="ambient",
        genre="ambient",
        tempo_bpm=60.0,
        time_signature="4/4",
        tonic=0,
        mode="major",
        chords=(),
        beats_s=(0.0, 1.0),
        downbeats_s=(0.0,),
        parts=(Part(instrument, "melody", program, 110, 64, (note,)),),
        lead=instrument,
        detune_semitones=detune,
    )


def pitch_of(audio: Audio) -> float:
    """The fundamental of a steady tone as a MIDI number, by the peak of its product spectrum."""
    x = audio.samples[RATE // 4 : RATE // 4 + RATE]
    spectrum = np.log(np.abs(np.fft.rfft(x * np.hanning(len(x)), 16 * RATE)) + 1e-3)
    n = len(spectrum) // 3
    product = spectrum[:n] + spectrum[: 2 * n : 2] + spectrum[: 3 * n : 3]
    hz = np.arange(n) / 16
    product[(hz < 60) | (hz > 1200)] = -np.inf
    return float(69 + 12 * np.log2(hz[int(np.argmax(product))] / 440))


def chroma(samples: np.ndarray) -> np.ndarray:
    """Energy per pitch class, C first."""
    frame = 8192
    hz = np.fft.rfftfreq(frame, 1 / RATE)
    use = (hz > 60) & (hz < 2000)
    classes = np.round(69 + 12 * np.log2(hz[use] / 440)).astype(int) % 12
    window = np.hanning(frame)
    total = np.zeros(12)
    for start in range(0, len(samples) - frame + 1, frame // 2):
        spectrum = np.abs(np.fft.rfft(samples[start : start + frame] * window))[use]
        total += np.bincount(classes, spectrum, 12)
    return total


def test_clips_are_finite_heard_and_not_clipped(clips: list[tuple[Track, Audio]]) -> None:
    for _, audio in clips:
        assert audio.samples.dtype == np.float32
        assert audio.samples.shape == (6 * RATE,)
        peak = float(np.abs(audio.samples).max())
        assert 0.29 <= peak <= 1.0
        assert float(np.std(audio.samples)) > 0.005
        assert np.mean(np.abs(audio.samples) >= 0.999 * peak) < 0.01


def test_a_clip_does_not_depend_on_what_was_played_before(
    clips: list[tuple[Track, Audio]],
) -> None:
    for seed in (31, 4, 17, 0):
        track, audio = make_clip(seed, 6.0, augment=seed % 2 == 0)
        assert track == clips[seed][0]
        assert audio.samples.tobytes() == clips[seed][1].samples.tobytes()


def test_the_room_changes_the_sound_but_no_fact() -> None:
    dry, wet = make_clip(5, 6.0, augment=False), make_clip(5, 6.0, augment=True)
    assert dry[0] == wet[0]
    assert not np.array_equal(dry[1].samples, wet[1].samples)


@pytest.mark.parametrize("style", STYLES)
def test_every_style_can_be_played(style: str) -> None:
    track, audio = make_clip(1, 3.0, augment=False, style=style, free_instruments=False)
    assert track.genre in (style, None)
    assert float(np.std(audio.samples)) > 0.005


@pytest.mark.parametrize("pitch", [50, 57, 64])
@pytest.mark.parametrize("detune", [0.0, 0.3, -0.3])
def test_notes_sound_at_their_pitch(pitch: int, detune: float) -> None:
    score = one_note(pitch, instrument="brass section", program=61, detune=detune)
    assert pitch_of(render(score)) == pytest.approx(pitch + detune, abs=0.12)


def test_the_sounding_chords_are_the_labelled_ones(clips: list[tuple[Track, Audio]]) -> None:
    """Of the twelve transpositions of a label, the one that is written has most energy."""
    right = total = 0
    for track, audio in clips:
        for chord in track.chords:
            segment = audio.samples[int(chord.start_s * RATE) : int(chord.end_s * RATE)]
            if len(segment) < RATE // 2:
                continue
            root, quality = chord.label.split(":")
            energy = chroma(segment)
            lifts = [
                sum(energy[(pitch_class(root) + i + shift) % 12] for i in INTERVALS[quality])
                for shift in range(12)
            ]
            right += int(np.argmax(lifts)) == 0
            total += 1
    assert total > 60
    assert right / total > 0.75


def test_drums_are_where_the_facts_put_them() -> None:
    """Energy rises at the labelled kick strokes of a dance clip."""
    style = "electronic dance"
    track, audio = next(
        clip
        for seed in range(20)
        if (clip := make_clip(seed, 8.0, augment=False, style=style, free_instruments=False))[
            0
        ].drums
    )
    kicks = [d.time_s for d in track.drums if d.piece == "kick" and 0.1 < d.time_s < 7.8]
    assert len(kicks) > 4
    power = np.square(audio.samples)
    after = np.mean([power[int(t * RATE) : int(t * RATE) + 800].mean() for t in kicks])
    before = np.mean([power[int(t * RATE) - 900 : int(t * RATE) - 100].mean() for t in kicks])
    assert after > 1.2 * before


@pytest.mark.parametrize("sound", NOT_MUSIC)
def test_what_is_not_music_carries_no_musical_facts(sound: str) -> None:
    for seed in range(8):
        track, audio = make_clip(seed, 2.0, sound=sound)
        assert track.sound == sound
        assert track.key is track.tempo_bpm is track.time_signature is track.genre is None
        assert track.mood is None and not track.chords and not track.instruments
        assert audio.n_samples == 2 * RATE
        peak = float(np.abs(audio.samples).max())
        assert peak < 10 ** (-66 / 20) if sound == "silence" else 0.05 < peak <= 1.0
        again = make_clip(seed, 2.0, sound=sound)[1]
        assert again.samples.tobytes() == audio.samples.tobytes()


def test_unknown_sounds_and_soundfonts_are_told(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'noise'"):
        make_clip(0, 1.0, sound="nois")
    with pytest.raises(UnknownNameError, match="Did you mean 'timgm'"):
        make_clip(0, 1.0, "timgn")
    (tmp_path / "broken.sf2").write_bytes(b"not a soundfont")
    with pytest.raises(ConfigError, match=r"broken\.sf2"):
        make_clip(0, 1.0, tmp_path / "broken.sf2")
    monkeypatch.setattr(Path, "exists", lambda self: False)
    with pytest.raises(MissingExtraError, match="apt install fluid-soundfont-gm"):
        soundfont_path("fluid")
    assert SOUNDFONTS[0] == "timgm"


def test_the_command_writes_sound_facts_and_notes(tmp_path: Path, capsys) -> None:
    compose_command(tmp_path / "out", n=2, seed=7, style="jazz", duration_s=3.0)
    printed = [Path(line) for line in capsys.readouterr().out.split()]
    assert [p.name for p in printed] == ["jazz-000007.wav", "jazz-000008.wav"]
    assert len(list((tmp_path / "out").iterdir())) == 6
    for wav in printed:
        assert load_audio(wav).duration_s == pytest.approx(3.0)
        track = Track.model_validate(json.loads(wav.with_suffix(".json").read_text()))
        assert track.audio_path == wav.name and track.id == wav.stem
        midi = pretty_midi.PrettyMIDI(str(wav.with_suffix(".mid")))
        written = sum(len(i.notes) for i in midi.instruments if not i.is_drum)
        assert written == len(track.notes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "at least 1"),
        ({"seed": -1}, "negative"),
        ({"duration_s": 0.0}, "between 1 and 600"),
        ({"style": "roc"}, "Did you mean 'rock'"),
    ],
)
def test_the_command_refuses_before_it_writes(
    tmp_path: Path, arguments: dict, message: str
) -> None:
    with pytest.raises((ConfigError, UnknownNameError), match=message):
        compose_command(tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_the_command_refuses_a_file_as_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(ConfigError, match="is a file"):
        compose_command(tmp_path / "out")
