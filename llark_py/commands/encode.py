"""Show what the encoder makes of a recording: frames, posteriors over time, a continuation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llark_py.audio import Audio, load_audio, save_audio
from llark_py.errors import ConfigError

if TYPE_CHECKING:
    from llark_py.encoders.base import AudioEncoder

_N_SHOWN = 3
_DIGITS = 4


def encode(
    song: Annotated[Path, typer.Argument(help="Recording.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Where frames (.npy) or, with --continue, the sound (.wav) go."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all posteriors, also over time, as JSON.")
    ] = False,
    continued: Annotated[
        bool, typer.Option("--continue", help="Write on from the end of the recording.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="How long to write on.")] = 5.0,
    temperature: Annotated[float, typer.Option(help="Above 1 bolder, below 1 safer.")] = 0.9,
    seed: Annotated[int, typer.Option(help="Of the drawing.")] = 0,
    model: Annotated[
        str | None, typer.Option(help="Folder or Hub name of a model; default: the embedded one.")
    ] = None,
) -> None:
    """Show what the encoder hears in a recording, or let it write on.

    Frames are saved as the language model gets them, `(frames, width)`.
    """
    encoder = _load_encoder(model)
    audio = load_audio(song).mono().resample(encoder.config.sample_rate)
    if continued:
        _continue(encoder, audio, out or song.with_name(f"{song.stem}-continued.wav"),
                  seconds, temperature, seed)  # fmt: skip
        return
    import numpy as np
    import torch

    with torch.inference_mode():
        frames = encoder(torch.from_numpy(audio.samples)[None])[0].float().numpy()
    if out is not None:
        if out.suffix != ".npy":
            raise ConfigError(f"frames are saved as .npy, not '{out.name}'")
        np.save(out, frames)
    told = {
        "song": str(song),
        "duration_s": round(audio.duration_s, 3),
        "frames": len(frames),
        "width": int(frames.shape[1]),
        **_posteriors(encoder, audio),
    }
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
        return
    print(f"{told['frames']} frames, {told['width']} numbers each")
    for head, chances in told.get("posteriors", {}).items():
        best = sorted(chances.items(), key=lambda item: -item[1])[:_N_SHOWN]
        print(f"{head}: " + ", ".join(f"{name} {chance:.2f}" for name, chance in best))


def _load_encoder(model: str | None) -> AudioEncoder:
    if model is None:
        from llark_py.encoders.mini import load_embedded

        return load_embedded()
    from llark_py.model.checkpoint import load_model

    loaded, _ = load_model(model, dtype="float32")
    inner = loaded.get_base_model() if hasattr(loaded, "peft_config") else loaded
    return inner.model.audio_tower.eval()


def _posteriors(encoder: AudioEncoder, audio: Audio) -> dict[str, Any]:
    """What the heads say, over all and over time; nothing for an encoder without heads."""
    from llark_py.encoders.mini import MiniEncoder

    if not isinstance(encoder, MiniEncoder):
        return {}
    from llark_py.encoders.mini_features import HOP

    heard = encoder.analyse(audio.samples)
    labels = encoder.config.labels
    return {
        "posteriors": {
            head: {
                name: round(float(chance), _DIGITS)
                for name, chance in zip(names, heard[head], strict=True)
            }
            for head, names in labels.items()
        },
        "over_time": {
            "frame_rate_hz": encoder.config.sample_rate / HOP,
            **{
                head.removesuffix("_frames"): [
                    [round(float(chance), _DIGITS) for chance in row] for row in chances
                ]
                for head, chances in heard.items()
                if head.endswith("_frames")
            },
        },
    }


def _continue(
    encoder: AudioEncoder, audio: Audio, out: Path, seconds: float, temperature: float, seed: int
) -> None:
    from llark_py.encoders.mini import MiniEncoder

    if not isinstance(encoder, MiniEncoder):
        raise ConfigError(
            f"only the encoder 'mini' can continue a recording, not '{encoder.config.encoder}'"
        )
    from llark_py.encoders.mini_continuation import continue_recording

    samples = continue_recording(encoder, audio.samples, seconds, temperature, seed)
    save_audio(Audio(samples, encoder.config.sample_rate), out)
    print(out)
