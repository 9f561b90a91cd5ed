"""Does a model say what its own encoder hears? A quick look at a language model in training.

    python -m llark_py.training.agreement runs/mini/model runs/mini/clips --n 80

Style, metre, families and yes/no questions about the watched clips are answered with the encoder's
notes and without, and compared with the heads: not whether the answers are right, but whether the
language model reads. It takes about a minute on one core.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from llark_py.benchmarks.asking import Listener
from llark_py.benchmarks.parsing import (
    parse_families,
    parse_style,
    parse_time_signature,
    parse_yes_no,
)
from llark_py.encoders.base import Encoded
from llark_py.encoders.mini import Heard, MiniEncoder
from llark_py.encoders.mini_config import MiniEncoderConfig
from llark_py.encoders.mini_notes import notes_of, perhaps_there
from llark_py.errors import ConfigError
from llark_py.instruct.facts import FAMILY_WORDS
from llark_py.model.checkpoint import load_model
from llark_py.prompting import read_prompt_data

from .shards import Shards
from .windows import plain_batch

CONDITIONS = ("with notes", "without notes")


@torch.inference_mode()
def hear_clips(encoder: MiniEncoder, shards: Shards, n: int) -> Heard:
    """Hear the middle windows of the first `n` clips of music.

    Raises:
        ConfigError: There is no music in the set.
    """
    music = [i for i, track in enumerate(shards.tracks) if track.sound == "music"][:n]
    if not music:
        raise ConfigError("the watched set holds no music; give the folder of the clips stage")
    features, _ = plain_batch(shards, music)
    return encoder.hear(features.to(encoder.device))


def said_by_heads(heard: Heard, config: MiniEncoderConfig) -> list[dict[str, Any]]:
    """List what the heads say of each window: style, metre, families there and perhaps there."""
    said, present_from = [], config.present_from("families").tolist()
    for item in range(len(heard.tokens)):
        best = {head: int(heard.posteriors[head][item].argmax()) for head in _NAMED}
        chances = heard.posteriors["families"][item].tolist()
        rows = zip(config.families, chances, present_from, strict=True)
        said.append(
            {head: config.labels[head][index] for head, index in best.items()}
            | {"families": {family for family, chance, least in rows if chance > least}}
            | {"perhaps": set(perhaps_there(chances, config))}
        )
    return said


_NAMED = {"style": parse_style, "time_signature": parse_time_signature}


def measure_agreement(model: Any, processor: Any, shards: Shards, n: int) -> dict[str, Any]:
    """Compare answers with the heads.

    Args:
        model: A `LlarkForConditionalGeneration` with the encoder `mini`.
        processor: Its processor.
        shards: The watched clips.
        n: How many of them.

    Returns:
        By condition (`CONDITIONS`; the first only for encoders that write notes) and question the
        share of answers in [0, 1] that agree: `style`, `time_signature`, `yes_no`, and `families`
        (micro F1 with the heads as truth).
    """
    encoder, config = model.model.audio_tower, model.config.audio_config
    heard = hear_clips(encoder, shards, n)
    said = said_by_heads(heard, config)
    with torch.inference_mode():
        frames = list(encoder.assemble(heard))
    written: Sequence[str | None] = notes_of(heard, config)
    report: dict[str, Any] = {"clips": len(said)}
    for condition in CONDITIONS:
        if condition == "with notes" and not config.writes_notes:
            continue
        notes = written if condition == "with notes" else [None] * len(frames)
        recordings = [Encoded(f, note) for f, note in zip(frames, notes, strict=True)]
        report[condition] = _compare(model, processor, recordings, said, config)
    return report


def _compare(
    model: Any,
    processor: Any,
    recordings: Sequence[Encoded],
    said: Sequence[dict[str, Any]],
    config: MiniEncoderConfig,
) -> dict[str, float]:
    questions = read_prompt_data("agreement")
    told = [heads["families"] | heads["perhaps"] for heads in said]
    asked = [_yes_no_family(families, config, i) for i, families in enumerate(told)]
    wording = {fact: [text] * len(said) for fact, text in questions.items()}
    wording["yes_no"] = [
        questions["yes_no"].format(family=FAMILY_WORDS.get(family, family)) for family in asked
    ]
    listener = Listener(model, processor)
    answers = {fact: listener.answer(recordings, texts) for fact, texts in wording.items()}
    scores: dict[str, float] = {}
    for fact, parse in _NAMED.items():
        agrees = [parse(a) == heads[fact] for a, heads in zip(answers[fact], said, strict=True)]
        scores[fact] = float(np.mean(agrees))
    pairs = [
        (parse_families(a), heads["families"])
        for a, heads in zip(answers["families"], said, strict=True)
    ]
    hits = sum(len(named & truth) for named, truth in pairs)
    scores["families"] = 2 * hits / max(1, sum(len(a) + len(b) for a, b in pairs))
    agrees = [
        parse_yes_no(a) == (family in families)
        for a, family, families in zip(answers["yes_no"], asked, told, strict=True)
    ]
    scores["yes_no"] = float(np.mean(agrees))
    return {fact: round(score, 3) for fact, score in scores.items()}


def _yes_no_family(there: set[str], config: MiniEncoderConfig, item: int) -> str:
    """Draw a family to ask for: in every other clip one that the heads hear, if they hear any."""
    wanted = [f for f in config.families if (f in there) == (item % 2 == 0)]
    return random.Random(f"agreement {item}").choice(wanted or config.families)


def main() -> None:
    """Print the agreement of a model as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", help="folder of a mini")
    parser.add_argument("clips", type=Path, help="folder of the clips stage")
    parser.add_argument("--n", type=int, default=80, help="clips")
    options = parser.parse_args()
    model, processor = load_model(options.model)
    report = measure_agreement(model, processor, Shards(options.clips, "dev"), options.n)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
