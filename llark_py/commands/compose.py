"""Compose annotated music: a recording, its facts and its notes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from llark_py.errors import ConfigError, UnknownNameError


def compose(
    out: Annotated[Path, typer.Argument(help="Folder for the clips; made when missing.")],
    n: Annotated[int, typer.Option("-n", "--n", help="How many clips.")] = 1,
    seed: Annotated[
        int, typer.Option(help="Seed of the first clip; the others count up from it.")
    ] = 0,
    style: Annotated[str | None, typer.Option(help="A style such as 'jazz'; default: any.")] = None,
    duration_s: Annotated[
        float, typer.Option("--duration-s", help="Length of a clip in seconds.")
    ] = 10.0,
    sound: Annotated[
        str, typer.Option(help="music, or instead: silence, noise, tone, speech.")
    ] = "music",
    sung: Annotated[bool, typer.Option("--sung", help="A singer has the melody.")] = False,
    soundfont: Annotated[
        str,
        typer.Option(
            help="timgm, fluid, musescore, csound, freepats, opl3, synth, a blend like "
            "fluid+synth, or a path."
        ),
    ] = "timgm",
) -> None:
    """Compose clips of music and write NAME.wav, NAME.json (every fact) and NAME.mid of each.

    With --sound they hold something that is not music, and have no NAME.mid.

    A clip depends on its seed, style, length and soundfont alone; its wav path is printed.

    Args:
        out: Folder that receives the files.
        n: Number of clips, at least 1.
        seed: Seed of the first clip.
        style: One of `compose.styles.STYLES`, or None for any.
        duration_s: Length in seconds, positive.
        sound: `music`, or one of `compose.sounds.SOUNDS`.
        sung: Give the melody to a singer; the facts then hold the words and their times.
        soundfont: A name of `compose.soundfonts.SOUNDFONTS`, a path, or a blend (`fluid+synth`).

    Raises:
        ConfigError: A number out of range, or `out` is a file.
        UnknownNameError: There is no such style or soundfont.
        MissingExtraError: The soundfont is not installed.
    """
    from llark_py.audio import save_audio
    from llark_py.compose.clip import make_clip
    from llark_py.compose.midi import write_midi
    from llark_py.compose.soundfonts import check_soundfont
    from llark_py.compose.sounds import SOUNDS
    from llark_py.compose.styles import style_named

    if n < 1:
        raise ConfigError(f"-n must be at least 1, got {n}")
    if seed < 0:
        raise ConfigError(f"--seed must not be negative, got {seed}")
    if not 1.0 <= duration_s <= 600.0:
        raise ConfigError(f"--duration-s must be between 1 and 600, got {duration_s:g}")
    if sound not in ("music", *SOUNDS):
        raise UnknownNameError("sound", sound, ("music", *SOUNDS))
    if sound != "music" and (sung or style is not None):
        raise ConfigError(f"{sound} has no style and no singer; leave out --style and --sung")
    if style is not None:
        style_named(style)  # a wrong name is told before anything is written
    check_soundfont(soundfont)
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; give a folder")
    out.mkdir(parents=True, exist_ok=True)
    for clip_seed in range(seed, seed + n):
        track, audio = make_clip(
            clip_seed,
            duration_s,
            soundfont,
            augment=False,
            style=style,
            # Who asks for a style wants its instruments too.
            free_instruments=None if style is None else False,
            sound=sound,
            sung=sung,
        )
        kind = style or ("clip" if sound == "music" else sound)
        stem = "-".join((*kind.split(), f"{clip_seed:06d}"))
        wav = out / f"{stem}.wav"
        facts = track.model_copy(update={"id": stem, "audio_path": wav.name})
        text = facts.model_dump_json(indent=1) + "\n"
        if sound == "music":
            _write(out / f"{stem}.mid", partial(write_midi, facts))
        _write(out / f"{stem}.json", partial(Path.write_text, data=text, encoding="utf-8"))
        _write(wav, partial(save_audio, audio))
        print(wav)


def _write(path: Path, writer: Callable[[Path], object]) -> None:
    """Write a file beside its place and move it there, so that no half file is ever seen."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
    os.close(handle)
    unfinished = Path(name)
    try:
        writer(unfinished)
        unfinished.chmod(0o644)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
