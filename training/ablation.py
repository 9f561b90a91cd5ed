"""What the generative stage is worth: encoders with and without it, at equal time.

    python -m llark_py.training.ablation CLIPS OUT --minutes 10

`CLIPS` holds shards as `llark train mini` makes them. Every variant gets the same minutes on the
same machine, codec and generative steps included; a Markdown table is printed and kept in `OUT`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn
from transformers import TrainerCallback

from llark_py.encoders.mini import MiniEncoder

from .encoder import EncoderWithLoss, batch_maker, new_encoder
from .fit_settings import FitSettings
from .fitting import Steps, fit
from .generative import Writing, fit_codec, score_writing, window_maker
from .recipe import MiniRecipe, load_recipe
from .sampling import ClipSampler
from .scoring import score_encoder
from .shards import Shards

_GENERATIVE_SHARE = 0.25
_PROBE_STEPS, _SLOW_STEPS = 8, 3
_COLUMNS = ("tempo_acc1", "key", "chord", "style", "family_f1", "family_macro_f1")


@dataclass(frozen=True)
class Variant:
    """A way to train: with a generative stage or not, then frozen, tuned, or tuned jointly."""

    name: str
    generative: bool = True
    frozen: bool = False
    joint: bool = False


VARIANTS = (
    Variant("no generative stage", generative=False),
    Variant("frozen after it", frozen=True),
    Variant("tuned after it"),
    Variant("tuned jointly after it", joint=True),
)


class _Clock(TrainerCallback):
    """Notes when each step ends."""

    def __init__(self) -> None:
        self.ends_s: list[float] = []

    def on_step_end(self, args, state, control, **kwargs):
        self.ends_s.append(time.monotonic())

    @property
    def step_s(self) -> float:
        """Time of a step, without the first ones, which are slow."""
        return (self.ends_s[-1] - self.ends_s[_SLOW_STEPS - 1]) / (len(self.ends_s) - _SLOW_STEPS)


class _StopAt(TrainerCallback):
    """Ends a stage when its time is over."""

    def __init__(self, deadline_s: float):
        self.deadline_s = deadline_s

    def on_step_end(self, args, state, control, **kwargs):
        if time.monotonic() >= self.deadline_s:
            control.should_training_stop = True


Collate = Callable[[list[int]], dict]


def fit_for(
    seconds: float,
    module: nn.Module,
    collate: Collate,
    settings: FitSettings,
    folder: Path,
    seed: int,
) -> int:
    """Fit for a time: as many steps as it should hold, of which the last may be cut off.

    Args:
        seconds: Time, that of the first few steps, which are measured, included.
        module: Of the stage.
        collate: Number of a step to its batch.
        settings: Of the stage; its steps and its warm-up give way to the time.
        folder: For the Trainer.
        seed: Of the Trainer.

    Returns:
        The steps that were made.
    """
    start = time.monotonic()
    probe = settings.model_copy(update={"steps": _PROBE_STEPS, "save_steps": 10**9})
    clock = _Clock()
    fit(module, Steps(_PROBE_STEPS), collate, probe, folder / "probe", seed, [clock])
    left_s = seconds - (time.monotonic() - start)
    steps = max(1, int(left_s / clock.step_s))
    update = {"steps": steps, "save_steps": 10**9}
    update["warmup_steps"] = min(settings.warmup_steps, steps // 10)
    stop = _StopAt(time.monotonic() + left_s)
    trainer = fit(
        module,
        Steps(steps),
        collate,
        settings.model_copy(update=update),
        folder / "fit",
        seed,
        [stop],
    )
    return _PROBE_STEPS + trainer.state.global_step


def freeze_body(encoder: MiniEncoder) -> None:
    """Leave only the heads to be fitted: what they read is as the generative stage left it."""
    network = encoder.network
    network.requires_grad_(False)
    for part in (network.heads, network.frame_head):
        part.requires_grad_(True)


def run_variant(
    variant: Variant, recipe: MiniRecipe, train: Shards, dev: Shards, seconds: float, folder: Path
) -> dict[str, float]:
    """Train one variant for a time and score it on the watched clips."""
    start = time.monotonic()
    encoder = new_encoder(recipe)
    counts = {"generative_steps": 0}
    generate = recipe.generate
    if variant.generative and generate is not None:
        fit_codec(encoder, train, recipe.seed)
        left_s = seconds * _GENERATIVE_SHARE - (time.monotonic() - start)
        sampler = ClipSampler(train.tracks, 0, 0)
        windows = window_maker(train, sampler, generate.batch_size, f"generate {recipe.seed}")
        counts["generative_steps"] = fit_for(
            left_s, Writing(encoder), windows, generate, folder / "generate", recipe.seed
        )
    if variant.frozen:
        freeze_body(encoder)
    settings = recipe.encoder
    weight = settings.generative_weight if variant.joint else 0.0
    counts["steps"] = fit_for(
        seconds - (time.monotonic() - start),
        EncoderWithLoss(encoder, weight, settings.generative_share),
        batch_maker(recipe, encoder, train),
        settings,
        folder / "encoder",
        recipe.seed,
    )
    minutes = round((time.monotonic() - start) / 60, 1)
    scores = {"minutes": minutes, **score_encoder(encoder, dev)}
    if variant.generative:
        scores["nats_a_code"] = round(score_writing(encoder, dev), 2)
    return counts | scores


def table(rows: dict[str, dict[str, float]]) -> str:
    """Write the scores of the variants as a Markdown table."""
    columns = ("minutes", "generative_steps", "steps", *_COLUMNS, "nats_a_code")
    lines = [f"| variant | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, scores in rows.items():
        cells = [str(scores.get(column, "-")) for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def compare(recipe: MiniRecipe, clips: Path, out: Path, minutes: float) -> str:
    """Train and score every variant; returns the table, which is also kept in `out`."""
    train, dev = Shards(clips, "train"), Shards(clips, "dev")
    rows: dict[str, dict[str, float]] = {}
    out.mkdir(parents=True, exist_ok=True)
    for number, variant in enumerate(VARIANTS):
        folder = out / f"variant-{number}"
        rows[variant.name] = run_variant(variant, recipe, train, dev, minutes * 60, folder)
        (out / "ablation.md").write_text(table(rows), encoding="utf-8")
    return table(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison from a command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", type=Path, help="folder of shards")
    parser.add_argument("out", type=Path, help="folder for the table; must be new or empty")
    parser.add_argument("--minutes", type=float, default=10.0, help="for each variant")
    parser.add_argument("--recipe", default="mini", help="whose settings are taken")
    parser.add_argument("settings", nargs="*", help="changes to it: key=value")
    given = parser.parse_intermixed_args(arguments)
    recipe = load_recipe(given.recipe, given.settings)
    if not isinstance(recipe, MiniRecipe):
        parser.error(f"'{given.recipe}' is no recipe of a mini")
    print(compare(recipe, given.clips, given.out, given.minutes))


if __name__ == "__main__":
    main()
