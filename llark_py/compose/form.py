"""The form of a piece: which sections follow each other, how long, how loud, and how it ends."""

from __future__ import annotations

import itertools
import math
import random
from typing import NamedTuple

SECTION_LABELS = (
    "intro",
    "verse",
    "pre-chorus",
    "chorus",
    "bridge",
    "solo",
    "break",
    "build",
    "drop",
    "theme",
    "variation",
    "outro",
)
ENDINGS = ("held", "ritardando", "stop", "fade")
"""A last chord that rings, one after slowing down, one cut short, or fading away."""

# Sections and their bars. Every form is long enough to be shortened and short enough to grow.
FORMS: dict[str, tuple[str, ...]] = {
    "song": (
        "intro 4, verse 8, chorus 8, verse 8, chorus 8, bridge 8, chorus 8, outro 4",
        "intro 4, verse 8, pre-chorus 4, chorus 8, verse 8, pre-chorus 4, chorus 8, solo 8, "
        "chorus 8, outro 4",
        "verse 8, chorus 8, break 4, verse 8, chorus 8, solo 8, bridge 4, chorus 8, chorus 8",
        "intro 8, verse 16, chorus 8, verse 8, chorus 8, break 4, chorus 8, outro 8",
    ),
    "theme": (
        "theme 8, bridge 8, theme 8, variation 8, bridge 8, theme 8, outro 4",
        "intro 4, theme 8, theme 8, bridge 8, solo 8, variation 8, theme 8, outro 4",
        "intro 4, theme 16, solo 16, break 4, solo 16, theme 16, outro 4",
    ),
    "dance": (
        "intro 8, build 8, drop 16, break 8, build 8, drop 16, outro 8",
        "intro 8, verse 8, build 4, drop 8, break 8, verse 8, build 4, drop 8, drop 8, outro 8",
    ),
    "blues": (
        "intro 4, verse 12, verse 12, solo 12, break 4, verse 12, outro 4",
        "theme 12, solo 12, solo 12, theme 12, outro 4",
    ),
}
_SCALES = {"blues": (1.0,)}
_ANY_SCALE = (0.5, 1.0, 1.5, 2.0)
_LEVELS = {
    "intro": 0.5,
    "verse": 0.62,
    "pre-chorus": 0.72,
    "chorus": 0.95,
    "bridge": 0.6,
    "solo": 0.85,
    "break": 0.4,
    "build": 0.7,
    "drop": 1.0,
    "theme": 0.75,
    "variation": 0.8,
    "outro": 0.55,
}
# Sections of one number share chords and tune.
_MATERIAL = {"chorus": 1, "drop": 1, "pre-chorus": 2, "bridge": 3, "build": 2}
SPARSE = ("intro", "outro", "break", "build")
"""Sections that mostly do without a tune."""
_REPEATABLE = ("verse", "chorus", "solo", "theme", "variation", "drop", "bridge")
_ONCE = ("intro", "outro")
# A form that misses the length by less is played a little faster or slower.
_NEAR = 0.08
_MOST_SECTIONS = 14
P_RISE = 0.25
"""How often the last chorus (or theme) of a song with a choice of sections is higher."""
_RISES = (1, 2, 2)
_FOURTH, _P_AWAY = 5, 0.25
_ENDING_ODDS = {
    "song": (0.4, 0.2, 0.15, 0.25),
    "theme": (0.35, 0.5, 0.1, 0.05),
    "dance": (0.3, 0.0, 0.3, 0.4),
    "blues": (0.4, 0.35, 0.2, 0.05),
}
_P_CROSSING, _P_ENDING, _P_BEGINNING = 0.3, 0.07, 0.05


class Passage(NamedTuple):
    """A section as it is composed.

    `material` numbers chords and tune; `level` is how full and loud it is (0..1) and `growth` how
    much that changes until its end; `rise` is the distance from the home key in semitones;
    `fill` tells whether drums lead into what follows, `ending` (one of `ENDINGS` or empty) how
    the piece ends with it; `turn` counts the sections of the same label before it.
    """

    label: str
    n_bars: int
    material: int
    level: float
    growth: float = 0.0
    rise: int = 0
    fill: bool = False
    ending: str = ""
    turn: int = 0


def draw_form(form: str, n_bars: int, rng: random.Random) -> list[Passage]:
    """Draw the sections of a whole piece.

    Args:
        form: A name in `FORMS`.
        n_bars: How long the piece should be; the sections come near it.
        rng: Source of the choices.
    """
    plans = [
        [(label, max(2, round(int(bars) * scale))) for label, bars in map(str.split, parts)]
        for template in FORMS[form]
        for scale in _SCALES.get(form, _ANY_SCALE)
        for parts in [template.split(", ")]
    ]
    rng.shuffle(plans)
    fitted = [_fitted(plan, n_bars) for plan in plans]
    near = [p for p in fitted if _distance(p, n_bars) < _NEAR and len(p) <= _MOST_SECTIONS]
    plan = near[0] if near else min(fitted, key=lambda p: _distance(p, n_bars))
    last = max(i for i, (label, _) in enumerate(plan) if label in _REPEATABLE)
    rises = rng.random() < P_RISE and len(plan) >= 4
    rise = rng.choice(_RISES)
    # A middle part may lie a fourth higher, as the trio of a march or a rag does.
    away = _FOURTH if form == "theme" and rng.random() < _P_AWAY and not rises else 0
    ending = rng.choices(ENDINGS, _ENDING_ODDS[form])[0]
    passages = []
    for i, (label, bars) in enumerate(plan):
        passage = draw_passage(label, bars, rng)
        passages.append(
            passage._replace(
                rise=rise if rises and i >= last else away if label == "bridge" else 0,
                fill=i < len(plan) - 1,
                ending=ending if i == len(plan) - 1 else "",
                turn=sum(label == other for other, _ in plan[:i]),
                level=min(1.0, passage.level + 0.05) if i == last else passage.level,
            )
        )
    return passages


def _distance(plan: list[tuple[str, int]], n_bars: int) -> float:
    return abs(math.log(sum(bars for _, bars in plan) / n_bars))


def _fitted(plan: list[tuple[str, int]], n_bars: int) -> list[tuple[str, int]]:
    """Repeat or leave out one to three sections at a time while the length comes nearer.

    Nothing is repeated at once more often than the form has it, and the end absorbs what is left.
    """
    runs = _longest_run(plan)
    while True:
        others = []
        for i in range(len(plan)):
            for size in (1, 2, 3):
                block = plan[i : i + size]
                if len(block) < size:
                    break
                if any(label in _REPEATABLE for label, _ in block) and not any(
                    label in _ONCE for label, _ in block
                ):
                    others.append(plan[: i + size] + plan[i:])
                inside = i > 0 and i + size < len(plan) and len(plan) - size > 2
                if inside and all(_spared(label, block, plan) for label, _ in block):
                    others.append(plan[:i] + plan[i + size :])
        others = [p for p in others if _longest_run(p) <= runs]
        best = min(others, key=lambda p: _distance(p, n_bars), default=plan)
        if _distance(best, n_bars) >= _distance(plan, n_bars) - 1e-9:
            break
        plan = best
    label, bars = plan[-1]
    left = n_bars - sum(bars for _, bars in plan)
    return [*plan[:-1], (label, max(2, bars + min(max(left, -4), 4)))]


def _spared(label: str, block: list[tuple[str, int]], plan: list[tuple[str, int]]) -> bool:
    """Tell whether a form still has a section of a label without a block."""
    return sum(label == other for other, _ in plan) > sum(label == other for other, _ in block)


def _longest_run(plan: list[tuple[str, int]]) -> int:
    """How often the same label stands in a row."""
    return max(len(list(run)) for _, run in itertools.groupby(plan, key=lambda s: s[0]))


def draw_passage(label: str, n_bars: int, rng: random.Random) -> Passage:
    """Draw how loud and how steady a section is."""
    level = min(1.0, max(0.3, _LEVELS[label] + rng.uniform(-0.08, 0.08)))
    growth = 0.35 if label == "build" else 0.0
    if not growth and rng.random() < 0.15:
        growth = rng.choice((-0.2, 0.2, 0.3))
    return Passage(label, n_bars, _MATERIAL.get(label, 0), level, growth)


def draw_excerpt(
    form: str, n_bars: int, rng: random.Random, *, sung: bool = False
) -> list[Passage]:
    """Draw the sections that an excerpt of a piece touches, mostly one.

    Args:
        form: A name in `FORMS`.
        n_bars: Bars that the excerpt needs.
        rng: Source of the choices.
        sung: Only sections in which a singer sings.
    """
    template = rng.choice(FORMS[form]).split(", ")
    labels = [part.split()[0] for part in template]
    if sung:
        labels = [label for label in labels if label not in (*SPARSE, "solo")]
    kind = rng.random()
    if kind < _P_CROSSING and n_bars >= 3:
        i = rng.randrange(len(labels) - 1)
        first = rng.randint(1, n_bars - 2)
        before = draw_passage(labels[i], first, rng)._replace(fill=True)
        return [before, draw_passage(labels[i + 1], n_bars - first, rng)]
    if kind < _P_CROSSING + _P_ENDING and n_bars >= 4:
        ending = rng.choice(ENDINGS[:3])
        # One bar less of music: the last chord rings in what is left.
        return [draw_passage(labels[-1], n_bars - 2, rng)._replace(ending=ending)]
    if kind < _P_CROSSING + _P_ENDING + _P_BEGINNING:
        return [draw_passage(labels[0], n_bars, rng)]
    inner = [label for label in labels if label not in ("intro", "outro", "break")]
    return [draw_passage(rng.choice(inner), n_bars, rng)]
