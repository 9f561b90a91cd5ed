"""Compose annotated music: a recording, its facts and its notes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llark_py.errors import ConfigError, UnknownNameError
from llark_py.files import whole_file

if TYPE_CHECKING:
    from llark_py.audio import Audio

_CLIP_S, _SONG_S = 10.0, 150.0


def compose(
    out: Annotated[Path, typer.Argument(help="Folder for the clips; made when missing.")],
    n: Annotated[int, typer.Option("-n", "--n", help="How many clips.")] = 1,
    seed: Annotated[
        int, typer.Option(help="Seed of the first clip; the others count up from it.")
    ] = 0,
    style: Annotated[str | None, typer.Option(help="A style such as 'jazz'; default: any.")] = None,
    duration_s: Annotated[
        float | None,
        typer.Option("--duration-s", help="Length in seconds; default: 10, of a song 150."),
    ] = None,
    sound: Annotated[
        str,
        typer.Option(help="music, or instead: silence, noise, tone, speech, nature, machine."),
    ] = "music",
    sung: Annotated[bool, typer.Option("--sung", help="A singer has the melody.")] = False,
    soundfont: Annotated[
        str,
        typer.Option(
            help="timgm, fluid, musescore, csound, freepats, opl3, generaluser, recordings, kits, "
            "synth, a blend like fluid+synth, or a path."
        ),
    ] = "timgm",
    song: Annotated[
        bool, typer.Option("--song", help="Whole songs with a form, not excerpts.")
    ] = False,
    stems: Annotated[
        bool, typer.Option("--stems", help="Write what each instrument plays, too.")
    ] = False,
) -> None:
    """Compose clips of music and write NAME.wav, NAME.json (every fact) and NAME.mid of each.

    With --sound they hold something that is not music, and have no NAME.mid. With --stems there
    is a folder NAME.stems with INSTRUMENT.wav of each instrument; they add up to NAME.wav.

    A clip depends on its seed, style, length and soundfont alone; its wav path is printed.

    Args:
        out: Folder that receives the files.
        n: Number of clips, at least 1.
        seed: Seed of the first clip.
        style: One of `compose.styles.STYLES`, or None for any.
        duration_s: Length in seconds; None is 10, of a song 150.
        sound: `music`, or one of `compose.sounds.SOUNDS`.
        sung: Give the melody to a singer; the facts then hold the words and their times.
        soundfont: A name of `compose.soundfonts.SOUNDFONTS`, a path, or a blend (`fluid+synth`).
        song: Make whole songs: from an intro to an ending, with their sections in the facts.
        stems: Write NAME.stems/INSTRUMENT.wav as 32-bit float; their sum is the sound of NAME.wav.

    Raises:
        ConfigError: A number out of range, or `out` is a file.
        UnknownNameError: There is no such style or soundfont.
        MissingExtraError: The soundfont is not installed.
    """
    from llark_py.audio import save_audio
    from llark_py.compose.clip import make_clip, make_song, make_stems
    from llark_py.compose.midi import write_midi
    from llark_py.compose.soundfonts import check_soundfont
    from llark_py.compose.sounds import SOUNDS
    from llark_py.compose.styles import style_named

    if n < 1:
        raise ConfigError(f"-n must be at least 1, got {n}")
    if seed < 0:
        raise ConfigError(f"--seed must not be negative, got {seed}")
    if duration_s is None:
        duration_s = _SONG_S if song else _CLIP_S
    if not 1.0 <= duration_s <= 600.0:
        raise ConfigError(f"--duration-s must be between 1 and 600, got {duration_s:g}")
    if sound not in ("music", *SOUNDS):
        raise UnknownNameError("sound", sound, ("music", *SOUNDS))
    if sound != "music" and (sung or style is not None):
        raise ConfigError(f"{sound} has no style and no singer; leave out --style and --sung")
    if sound != "music" and (song or stems):
        raise ConfigError(f"{sound} has no form and no stems; leave out --song and --stems")
    if style is not None:
        style_named(style)  # a wrong name is told before anything is written
    check_soundfont(soundfont)
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; give a folder")
    out.mkdir(parents=True, exist_ok=True)
    for clip_seed in range(seed, seed + n):
        choices: dict[str, Any] = {
            "style": style,
            # Who asks for a style wants its instruments too.
            "free_instruments": None if style is None else False,
            "sung": sung,
        }
        where = (clip_seed, duration_s, soundfont)
        if song:
            track, audio = make_song(*where, augment=False, **choices)
        else:
            track, audio = make_clip(*where, augment=False, sound=sound, **choices)
        kind = style or (sound if sound != "music" else "song" if song else "clip")
        stem = "-".join((*kind.split(), f"{clip_seed:06d}"))
        wav = out / f"{stem}.wav"
        facts = track.model_copy(update={"id": stem, "audio_path": wav.name})
        text = facts.model_dump_json(indent=1) + "\n"
        if sound == "music":
            _write(out / f"{stem}.mid", partial(write_midi, facts))
        _write(out / f"{stem}.json", partial(Path.write_text, data=text, encoding="utf-8"))
        _write(wav, partial(save_audio, audio))
        if stems:
            folder = out / f"{stem}.stems"
            folder.mkdir(exist_ok=True)
            for name, part in make_stems(*where, whole=song, **choices).items():
                _write(folder / f"{'-'.join(name.split())}.wav", partial(_write_float, part))
        print(wav)


def _write_float(audio: Audio, path: Path) -> None:
    """Write a stem as 32-bit float: stems may be louder than their sum, and are not to be cut."""
    import soundfile

    soundfile.write(path, audio.samples, audio.sample_rate, subtype="FLOAT")


def _write(path: Path, writer: Callable[[Path], object]) -> None:
    """Write a file so that no half of it is ever seen."""
    with whole_file(path) as unfinished:
        writer(unfinished)
