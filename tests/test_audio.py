"""Recordings: values, reading of every format, refusal of every bad file, windows."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from itertools import pairwise

import av
import numpy as np
import pytest
import soundfile

from llark_py.audio import Audio, load_audio, save_audio, windows
from llark_py.decoding import expected_values
from llark_py.errors import AudioError

RATE = 44100
DURATION_S = 3.0


def tune(duration_s: float = DURATION_S, rate: int = RATE) -> np.ndarray:
    """Two tones, left 440 Hz and right 660 Hz, (2, n) float32 at a third of full scale."""
    time_s = np.arange(round(duration_s * rate)) / rate
    return np.stack([np.sin(2 * np.pi * f * time_s) / 3 for f in (440, 660)]).astype(np.float32)


def pitch_hz(samples: np.ndarray, rate: int) -> float:
    """The strongest frequency of a channel."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))


def encode_av(container: str, codec: str, rate: int = RATE, picture: bool = False) -> bytes:
    """Encode the tune with PyAV, with a moving picture beside it if asked."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        sound = out.add_stream(codec, rate=rate, layout="stereo")
        if picture:
            film = out.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p")
            for _ in range(round(DURATION_S * 10)):
                frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
                out.mux(film.encode(frame))
            out.mux(film.encode(None))
        fifo = av.AudioResampler(format="fltp", layout="stereo", rate=rate, frame_size=960)
        frame = av.AudioFrame.from_ndarray(tune(rate=rate), format="fltp", layout="stereo")
        frame.sample_rate = rate
        for piece in [*fifo.resample(frame), *fifo.resample(None)]:
            out.mux(sound.encode(piece))
        out.mux(sound.encode(None))
    return file.getvalue()


def encode_sf(kind: str) -> bytes:
    """Encode the tune with soundfile."""
    file = io.BytesIO()
    soundfile.write(file, tune().T, RATE, format=kind)
    return file.getvalue()


def film_without_sound() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        film = out.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p")
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
            out.mux(film.encode(frame))
        out.mux(film.encode(None))
    return file.getvalue()


FILES = {
    "wav": lambda: encode_sf("WAV"),
    "flac": lambda: encode_sf("FLAC"),
    "ogg": lambda: encode_sf("OGG"),
    "mp3": lambda: encode_sf("MP3"),
    "m4a": lambda: encode_av("ipod", "aac"),
    "aac": lambda: encode_av("adts", "aac"),
    "opus": lambda: encode_av("ogg", "libopus", 48000),
    "mp4": lambda: encode_av("mp4", "aac", picture=True),
    "webm": lambda: encode_av("webm", "libopus", 48000),
}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The same tune in every format."""
    return {kind: make() for kind, make in FILES.items()}


@pytest.mark.parametrize("kind", FILES)
def test_every_format_keeps_length_channels_and_pitch(kind, files, tmp_path):
    path = tmp_path / f"song.{kind}"
    path.write_bytes(files[kind])
    audio = load_audio(path)
    assert audio.samples.dtype == np.float32 and audio.samples.flags.c_contiguous
    assert audio.samples.shape == (2, audio.n_samples)
    assert audio.duration_s == pytest.approx(DURATION_S, abs=0.12)
    assert pitch_hz(audio.samples[0], audio.sample_rate) == pytest.approx(440, abs=1)
    assert pitch_hz(audio.samples[1], audio.sample_rate) == pytest.approx(660, abs=1)
    assert audio.samples.std(axis=1) == pytest.approx(1 / 3 / np.sqrt(2), abs=0.02)


@pytest.mark.parametrize("kind", ["wav", "m4a"])
def test_path_bytes_and_file_give_the_same_recording(kind, files, tmp_path):
    path = tmp_path / "song.raw"  # the content decides, not the ending
    path.write_bytes(files[kind])
    with path.open("rb") as file:
        from_file = load_audio(file)
    assert load_audio(path) == load_audio(str(path)) == load_audio(files[kind]) == from_file


def test_resampling_keeps_pitch_and_length(files):
    audio = load_audio(files["flac"], sample_rate=16000, mono=True)
    assert audio.sample_rate == 16000 and audio.samples.shape == (48000,)
    spectrum = np.abs(np.fft.rfft(audio.samples))
    assert sorted(np.argsort(spectrum)[-2:] / DURATION_S) == pytest.approx([440, 660])


def test_mono_file_stays_flat_and_stereo_is_averaged():
    stereo = Audio(tune(), RATE)
    assert np.allclose(stereo.mono().samples, tune().mean(axis=0))
    assert Audio(tune()[:1], RATE).samples.shape == (stereo.n_samples,)


def test_louder_than_full_scale_is_turned_down_not_clipped():
    file = io.BytesIO()
    soundfile.write(file, tune().T * 6, RATE, format="WAV", subtype="FLOAT")
    audio = load_audio(file.getvalue())
    assert np.allclose(audio.samples, tune() / np.abs(tune()).max(), atol=1e-5)


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_saved_recording_reads_back(kind, tmp_path):
    audio = Audio(tune(), RATE)
    save_audio(audio, tmp_path / f"out.{kind}")
    again = load_audio(tmp_path / f"out.{kind}")
    assert again.samples.shape == audio.samples.shape
    assert np.abs(again.samples - audio.samples)[:, 2000:-2000].max() < 0.03


def test_minutes_of_ogg_can_be_written(tmp_path):
    save_audio(Audio(np.tile(tune(), 20), RATE), tmp_path / "long.ogg")
    assert load_audio(tmp_path / "long.ogg").duration_s == pytest.approx(60)


def test_unknown_ending_is_refused_when_writing(tmp_path):
    with pytest.raises(AudioError, match="cannot be written as wav, flac, ogg or mp3"):
        save_audio(Audio(tune(), RATE), tmp_path / "song.txt")


# --- bad input ------------------------------------------------------------------------------


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(AudioError, match=r"there is no file '.*nowhere\.mp3'"):
        load_audio(tmp_path / "nowhere.mp3")
    with pytest.raises(AudioError, match="is a folder"):
        load_audio(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        ("Ein Lied für dich ♪\n".encode() * 900, "is a text file"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "is a text file"),
        (bytes(5000), "is not a recording"),
        (np.random.default_rng(0).bytes(50_000), "is not a recording"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "is not a recording"),
        (b"PK\x03\x04" + bytes(3000), "is not a recording"),
    ],
    ids=["empty", "text", "playlist", "zeros", "random", "picture", "zip"],
)
def test_what_is_not_audio_is_refused_with_what_is_allowed(content, message, tmp_path):
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=message) as caught:
        load_audio(path)
    assert "song.mp3" in str(caught.value) and "m4a" in str(caught.value)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.85])
@pytest.mark.parametrize("kind", [k for k in FILES if k != "aac"])
def test_truncated_file_is_refused(kind, share, files, capfd):
    with pytest.raises(AudioError) as caught:
        load_audio(files[kind][: int(len(files[kind]) * share)])
    assert "\n" not in str(caught.value)
    if share > 0.1:
        assert capfd.readouterr().err == "", "a decoder wrote warnings of its own"


def test_wav_without_data_and_streamed_wav(files):
    with pytest.raises(AudioError, match="cut short"):
        load_audio(files["wav"][:44])
    streamed = bytearray(files["wav"])
    place = streamed.index(b"data") + 4
    streamed[place : place + 4] = b"\xff\xff\xff\xff"
    assert load_audio(bytes(streamed)).duration_s == pytest.approx(DURATION_S)


def test_damaged_middle_is_refused(files):
    broken = bytearray(files["flac"])
    middle = len(broken) // 2
    broken[middle : middle + 20_000] = bytes(20_000)
    with pytest.raises(AudioError, match=r"damaged|cut short"):
        load_audio(bytes(broken))


def test_zero_length_recording_is_refused():
    file = io.BytesIO()
    soundfile.write(file, np.zeros((0, 2)), RATE, format="WAV")
    with pytest.raises(AudioError, match="length is zero"):
        load_audio(file.getvalue())
    with pytest.raises(AudioError, match="length is zero"):
        Audio(np.zeros(0), RATE)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(value, tmp_path):
    samples = tune()
    samples[1, 1000] = value
    path = tmp_path / "bad.wav"
    soundfile.write(path, samples.T, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"'bad\.wav' holds samples that are not numbers"):
        load_audio(path)
    with pytest.raises(AudioError, match="not numbers"):
        Audio(samples, RATE)


@pytest.mark.parametrize("kind", FILES)
def test_too_long_recording_is_refused(kind, files):
    with pytest.raises(AudioError, match=r"at most 2 s are allowed"):
        load_audio(files[kind], max_duration_s=2.0)


def test_film_without_sound_is_refused():
    with pytest.raises(AudioError, match="no sound in it, only pictures"):
        load_audio(film_without_sound())


@pytest.mark.parametrize("shape", [(2, 3, 4), (1000, 2), ()])
def test_samples_of_another_shape_are_refused(shape):
    with pytest.raises(AudioError, match=r"expected \(n_samples,\) or \(channels, n_samples\)"):
        Audio(np.zeros(shape), RATE)


# --- values ---------------------------------------------------------------------------------


def test_content_hash_depends_on_samples_rate_and_channels_only():
    audio = Audio(tune(), RATE)
    assert audio == Audio(tune().copy(), RATE) and hash(audio) == hash(Audio(tune(), RATE))
    others = [Audio(tune(), 48000), Audio(tune() * 0.5, RATE), Audio(tune().reshape(-1), RATE)]
    assert len({audio.content_hash, *(o.content_hash for o in others)}) == 4


def test_slice_is_cut_to_what_there_is():
    audio = Audio(tune(), RATE)
    part = audio.slice(1.0, 99.0)
    assert part.duration_s == pytest.approx(2.0)
    assert np.array_equal(part.samples, audio.samples[:, RATE:])
    with pytest.raises(AudioError, match="nothing lies between"):
        audio.slice(5.0, 6.0)


# --- windows --------------------------------------------------------------------------------


def test_windows_cover_everything_and_overlap():
    rng = np.random.default_rng(1)
    for _ in range(300):
        window = int(rng.integers(1, 50))
        hop = int(rng.integers(1, window + 1))
        min_tail, n = int(rng.integers(0, window)), int(rng.integers(1, 400))
        spans = windows(n, window, hop, min_tail)
        assert spans[0][0] == 0 and spans[-1][1] == n
        assert all(b[0] - a[0] == hop for a, b in pairwise(spans))
        assert all(e - s == window for s, e in spans[:-1])
        assert spans[-1][1] - spans[-1][0] < window + max(1, min_tail)
        if len(spans) > 1:
            assert spans[-1][1] - spans[-2][1] >= max(1, min_tail)


def test_short_tail_is_merged_and_long_tail_is_not():
    assert windows(25, 10, 10, 6) == [(0, 10), (10, 25)]
    assert windows(26, 10, 10, 6) == [(0, 10), (10, 20), (20, 26)]
    assert windows(7, 10, 10, 6) == [(0, 7)]
    assert windows(0, 10, 10, 6) == []
    with pytest.raises(ValueError, match="hop must lie in"):
        windows(10, 5, 6, 1)


# --- cost -----------------------------------------------------------------------------------


def mp3_of_changing_rate(path, seconds=20.0):
    """Write an mp3 whose bit rate varies and which does not say how long it is; give its sound."""
    rng = np.random.default_rng(5)
    samples = rng.normal(0, 0.1, round(44_100 * seconds)).astype(np.float32)
    soundfile.write(path, samples, 44_100, format="MP3", bitrate_mode="VARIABLE")
    whole = path.read_bytes()
    kbps = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
    first = 144_000 * kbps[whole[2] >> 4] // 44_100 + (whole[2] >> 1 & 1)
    assert b"Xing" in whole[:first] or b"Info" in whole[:first]
    path.write_bytes(whole[first:])
    return samples


def test_an_mp3_that_does_not_say_how_long_it_is_is_read_to_its_end(tmp_path):
    path = tmp_path / "stream.mp3"
    samples = mp3_of_changing_rate(path)
    assert soundfile.info(path).duration < 15  # what libsndfile takes it for
    audio = load_audio(path)
    assert audio.duration_s == pytest.approx(20.0, abs=0.1)
    level = [np.sqrt(np.mean(np.square(x[-8_000:-4_000]))) for x in (audio.samples, samples)]
    assert level[0] == pytest.approx(level[1], rel=0.2)


@pytest.mark.parametrize("kind", FILES)
def test_what_a_file_decodes_to_is_known_before(tmp_path, kind, files):
    path = tmp_path / f"song.{kind}"
    path.write_bytes(files[kind])
    audio = load_audio(path)
    expected = expected_values(str(path), 900.0)
    # The bit rate of three seconds in ADTS frames tells little.
    assert expected == pytest.approx(audio.samples.size, rel=0.5 if kind == "aac" else 0.1)
    assert expected_values(str(path), 1.0) == pytest.approx(2 * audio.sample_rate, rel=0.1)


def test_nothing_is_expected_of_what_is_no_sound(tmp_path):
    for name, data in (("empty.mp3", b""), ("text.m4a", b"not a song"), ("junk.ogg", b"\xff" * 99)):
        (tmp_path / name).write_bytes(data)
        assert expected_values(str(tmp_path / name), 900.0) is None, name
    assert expected_values(str(tmp_path / "nowhere.wav"), 900.0) is None


def test_three_minutes_of_mp3_decode_fast():
    file = io.BytesIO()
    soundfile.write(file, np.tile(tune()[0], 60), RATE, format="MP3")
    best_s = np.inf
    for _ in range(3):  # other jobs may share the cores
        start = time.perf_counter()
        audio = load_audio(file.getvalue(), sample_rate=16000, mono=True)
        best_s = min(best_s, time.perf_counter() - start)
    assert audio.duration_s == pytest.approx(180)
    assert best_s < 1.5, f"{best_s:.2f} s; `make bench` holds the tight limit"


def test_loading_audio_needs_no_torch():
    code = "import sys, llark_py.audio; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
