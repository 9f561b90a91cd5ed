"""How fast three minutes of music are decoded, by format (stereo, 44.1 kHz; best of three)."""

from __future__ import annotations

import io
import tempfile
import time
from pathlib import Path

import av
import numpy as np
from song import DURATION_S, machine, make_song

from llark_py.audio import Audio, load_audio, save_audio

TARGET_S = 0.5


def save_m4a(audio: Audio, path: Path) -> None:
    """Encode with PyAV, as phones do."""
    file = io.BytesIO()
    with av.open(file, "w", format="ipod") as out:
        sound = out.add_stream("aac", rate=audio.sample_rate, layout="stereo")
        resampler = av.AudioResampler("fltp", "stereo", audio.sample_rate, frame_size=1024)
        frame = av.AudioFrame.from_ndarray(audio.samples, format="fltp", layout="stereo")
        frame.sample_rate = audio.sample_rate
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(sound.encode(piece))
        out.mux(sound.encode(None))
    path.write_bytes(file.getvalue())


def best_s(path: Path, **options: object) -> float:
    """Time reading a file, three times; the fastest counts."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        load_audio(path, **options)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print the table."""
    song = make_song(44100)
    stereo = Audio(np.stack([song.samples, np.roll(song.samples, 400)]), song.sample_rate)
    print(f"\nDecoding {DURATION_S:.0f} s of music ({machine()})")
    print(f"{'format':8}{'as it is':>10}{'16 kHz mono':>14}{'target':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("wav", "flac", "ogg", "mp3", "m4a"):
            path = Path(folder) / f"song.{kind}"
            save_m4a(stereo, path) if kind == "m4a" else save_audio(stereo, path)
            plain, mono = best_s(path), best_s(path, sample_rate=16000, mono=True)
            target = f"under {TARGET_S:.1f} s" if kind == "mp3" else ""
            print(f"{kind:8}{plain:>8.2f} s{mono:>12.2f} s{target:>12}")


if __name__ == "__main__":
    main()
