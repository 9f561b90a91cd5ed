"""The listening benchmark as numbers, as Markdown and as pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llark_py.compose.styles import STYLES

from .answers import Row
from .estimates import N_DRAWS, Estimate
from .kept_report import keep_report
from .paraphrases import SET as PARAPHRASES
from .paraphrases import score_paraphrases
from .questions import HEADS
from .reliability import reliability_of_rows
from .scores import ALL_FAMILIES, said_by, score_rows
from .table import describe_run, markdown_table, score_table

COMPOSED = ("clips", "voices", "sounds", "songs")
UNREAD = "(unread)"

Json = dict[str, Any]


def summarise(rows: Sequence[Row], n_draws: int = N_DRAWS) -> Json:
    """Score everything that a run holds.

    Returns:
        As JSON holds it: `composed` and `real` (condition -> score -> estimate), `families`
        (clips in which each plays), `styles` (condition -> style -> what was said -> count),
        `reliability`, `paraphrases`.
    """
    asked = [row for row in rows if row["set"] != PARAPHRASES]
    by_set = score_rows(asked, n_draws)
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
    summary = summarise(rows)

    def draw(folder: Path) -> list[Path]:
        from .plots import draw_all

        return draw_all(summary, folder)

    found = {"run": dict(settings), **summary}
    return keep_report(folder, found, markdown(summary, settings), draw=draw if plots else None)


def markdown(summary: Json, settings: Mapping[str, Any]) -> str:
    """Write a summary for people."""
    parts = [
        f"# Listening\n{describe_run(settings)}\n\n"
        "The first column with 95 % bootstrap intervals over recordings."
    ]
    for name, title in (("composed", "Composed, held-out soundfont"), ("real", "Real recordings")):
        if summary.get(name):
            parts.append(f"## {title}\n{score_table(_columns(summary[name]))}")
    parts.append("## Families\n" + _families(summary))
    parts += [
        f"## Styles: {'in words' if condition == 'audio' else 'by head'}\n" + _styles(confusion)
        for condition, confusion in summary["styles"].items()
        if confusion
    ]
    parts.append("## Reliability\n" + _reliability(summary["reliability"]))
    if "paraphrases" in summary:
        parts.append("## Paraphrases\n" + _paraphrases(summary["paraphrases"]))
    return "\n\n".join(parts)


def _columns(columns: Json) -> dict[str, dict[str, Estimate]]:
    return {
        condition: {
            name: Estimate(**estimate)
            for name, estimate in scores.items()
            if not name.startswith("f1 ")
        }
        for condition, scores in columns.items()
    }


def _families(summary: Json) -> str:
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
    return markdown_table(head, rows)


def _styles(confusion: dict[str, dict[str, int]]) -> str:
    rows = []
    for style, said in confusion.items():
        n = sum(said.values())
        wrong = sorted(((c, s) for s, c in said.items() if s != style), reverse=True)[:3]
        mistaken = ", ".join(f"{name} {count}" for count, name in wrong)
        rows.append([style, n, f"{said.get(style, 0) / n:.3f}", mistaken or "-"])
    return markdown_table(["style", "clips", "right", "else said"], rows)


def _reliability(found: Json) -> str:
    rows = [
        [name, r["n"], f"{r['mean']:.3f}", f"{r['accuracy']:.3f}", f"{r['ece']:.3f}"]
        for name, r in found.items()
    ]
    return markdown_table(["who", "answers", "mean confidence", "right", "ECE"], rows)


def _paraphrases(found: Json) -> str:
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
    return markdown_table(head, rows)
