"""The listening benchmark as numbers, as Markdown and as pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llark_py.compose.styles import STYLES

from .answers import Row
from .chapters import Chapter, Grid
from .estimates import N_DRAWS, Estimate
from .kept_report import keep_run
from .listening_sets import tell_sets
from .paraphrases import SET as PARAPHRASES
from .paraphrases import score_paraphrases
from .questions import HEADS
from .reliability import reliability_of_rows
from .scores import ALL_FAMILIES, Scores, said_by, score_rows
from .table import score_cells

COMPOSED = ("clips", "voices", "sounds", "songs")
UNREAD = "(unread)"

Json = dict[str, Any]
Cells = tuple[list[str], list[list[Any]]]
"""Head and rows of a table."""


def summarise(rows: Sequence[Row], n_draws: int = N_DRAWS) -> Json:
    """Score everything that a run holds.

    Returns:
        As JSON holds it: `composed` and `real` (condition -> score -> estimate), `families`
        (clips in which each plays), `styles` (condition -> style -> what was said -> count),
        `reliability`, `paraphrases`.
    """
    return _summarise(rows, score_rows(_asked(rows), n_draws), n_draws)


def _asked(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["set"] != PARAPHRASES]


def _summarise(
    rows: Sequence[Row], by_set: Mapping[str, Mapping[str, Scores]], n_draws: int = N_DRAWS
) -> Json:
    asked = _asked(rows)
    composed: dict[str, dict[str, Estimate]] = {}
    for name in COMPOSED:
        for condition, scores in by_set.get(name, {}).items():
            column = composed.setdefault(condition, {})
            for score, estimate in scores.items():
                own = f"unparsed {name}" if score == "unparsed" and name != "clips" else score
                column[own] = estimate
    summary: Json = {"composed": _as_json(composed)}
    if "real" in by_set:
        summary["real"] = _as_json(by_set["real"])
    clips = [r for r in asked if r["set"] == "clips"]
    heard = [r for r in clips if r["condition"] == "audio"]
    summary["families"] = {
        family: sum(family in r["truth"] for r in heard if r["fact"] == "instruments")
        for family in ALL_FAMILIES
    }
    summary["styles"] = {
        condition: _confusion([r for r in clips if r["condition"] == condition])
        for condition in ("audio", HEADS)
    }
    summary["reliability"] = reliability_of_rows(asked)
    spoken = [row for row in rows if row["set"] == PARAPHRASES]
    if spoken:
        summary["paraphrases"] = score_paraphrases(spoken, n_draws)
    return summary


def _as_json(columns: Mapping[str, Mapping[str, Estimate]]) -> Json:
    return {c: {k: v.as_dict() for k, v in scores.items()} for c, scores in columns.items()}


def _confusion(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Count what is said of clips of each style."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        if row["fact"] == "style":
            said = said_by(row, (*STYLES, row["truth"])) or UNREAD
            counts.setdefault(row["truth"], Counter())[said] += 1
    return {style: dict(counts[style]) for style in sorted(counts)}


def write_report(
    rows: Sequence[Row], settings: Mapping[str, Any], folder: Path | None, plots: bool
) -> str:
    """Score a run and write it up; files are written where a folder is given."""
    by_set = score_rows(_asked(rows))
    summary = _summarise(rows, by_set)

    def draw(folder: Path) -> list[Path]:
        from .plots import draw_all

        return draw_all(summary, folder)

    return keep_run(
        folder,
        settings,
        summary,
        title="Listening",
        chapters=_chapters(summary),
        sets=tell_sets(rows, by_set, summary.get("paraphrases", {}), settings) if folder else [],
        draw=draw if plots else None,
    )


def _chapters(summary: Json) -> list[Chapter]:
    """Write a summary for people."""
    chapters = []
    for name, title in (("composed", "Composed, held-out soundfont"), ("real", "Real recordings")):
        if summary.get(name):
            chapters.append(_chapter(title, *score_cells(_columns(summary[name]))))
    chapters.append(_chapter("Families", *_families(summary)))
    for condition, title in (("audio", "Styles: in words"), (HEADS, "Styles: by head")):
        if summary["styles"].get(condition):
            chapters.append(_chapter(title, *_styles(summary["styles"][condition])))
    chapters.append(_chapter("Reliability", *_reliability(summary["reliability"])))
    if "paraphrases" in summary:
        chapters.append(_chapter("Paraphrases", *_paraphrases(summary["paraphrases"])))
    return chapters


def _chapter(title: str, head: list[str], rows: list[list[Any]]) -> Chapter:
    return Chapter(title, tables=[Grid("", head, rows)])


def _columns(columns: Json) -> dict[str, dict[str, Estimate]]:
    return {
        condition: {
            name: Estimate(**estimate)
            for name, estimate in scores.items()
            if not name.startswith("f1 ")
        }
        for condition, scores in columns.items()
    }


def _families(summary: Json) -> Cells:
    def f1(set_name: str, condition: str, family: str) -> str:
        scores = summary.get(set_name, {}).get(condition, {})
        found = scores.get(f"f1 {family}")
        return "-" if found is None else f"{found['value']:.3f}"

    rows = [
        [
            family,
            count,
            f1("composed", "audio", family),
            f1("composed", HEADS, family),
            f1("real", "audio", family),
            f1("real", HEADS, family),
        ]
        for family, count in summary["families"].items()
    ]
    head = ["family", "clips with it", "F1 in words", "F1 by head", "real, words", "real, head"]
    return head, rows


def _styles(confusion: dict[str, dict[str, int]]) -> Cells:
    rows = []
    for style, said in confusion.items():
        n = sum(said.values())
        wrong = sorted(((c, s) for s, c in said.items() if s != style), reverse=True)[:3]
        mistaken = ", ".join(f"{name} {count}" for count, name in wrong)
        rows.append([style, n, f"{said.get(style, 0) / n:.3f}", mistaken or "-"])
    return ["style", "clips", "right", "else said"], rows


def _reliability(found: Json) -> Cells:
    rows = [
        [name, r["n"], f"{r['mean']:.3f}", f"{r['accuracy']:.3f}", f"{r['ece']:.3f}"]
        for name, r in found.items()
    ]
    return ["who", "answers", "mean confidence", "right", "ECE"], rows


def _paraphrases(found: Json) -> Cells:
    rows = [
        [
            fact,
            r["clips"],
            r["phrasings"],
            *(
                f"{r[k]['value']:.3f} [{r[k]['low']:.3f}, {r[k]['high']:.3f}]"
                for k in ("consistency", "accuracy")
            ),
            f"{r['lowest']:.3f} to {r['highest']:.3f}",
            r["worst_question"].replace("|", "/"),
        ]
        for fact, r in found.items()
    ]
    head = ["fact", "clips", "phrasings", "same answer", "accuracy", "by phrasing", "worst"]
    return head, rows
