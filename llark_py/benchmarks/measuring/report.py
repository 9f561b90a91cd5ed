"""The tools benchmark as numbers, as Markdown and as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llark_py.benchmarks.answers import Row
from llark_py.benchmarks.baselines import constant_rows
from llark_py.benchmarks.estimates import N_DRAWS, Estimate
from llark_py.benchmarks.kept_report import keep_report
from llark_py.benchmarks.table import describe_run, markdown_table, score_table

from .scoring import TOOL, Scores, confidences, score_facts

TITLES = {
    "clips": "Composed clips",
    "pianos": "Composed piano alone",
    "songs": "Composed songs",
    "mixes": "Stems of composed mixes (dB)",
    "unseen": "By example, instruments that training never heard (dB)",
    "real": "Real recordings",
}
_CONSTANT_FACTS = ("tempo", "key", "instruments", "vocals")

Json = dict[str, Any]


def summarise(rows: Sequence[Row], n_draws: int = N_DRAWS) -> Json:
    """Score everything that a run holds.

    Returns:
        As JSON holds it: `scores` (set -> condition -> score -> estimate) and `reliability`
        (`<set>: <fact>` -> as `reliability.reliability` gives it).
    """
    scores: Json = {}
    certainty: Json = {}
    for set_name in [name for name in TITLES if any(row["set"] == name for row in rows)]:
        of_set = [row for row in rows if row["set"] == set_name]
        own = [r for r in of_set if r["condition"] == TOOL and r["fact"] in _CONSTANT_FACTS]
        of_set += constant_rows(own)
        scores[set_name] = {
            condition: _as_json(
                score_facts([row for row in of_set if row["condition"] == condition], n_draws)
            )
            for condition in dict.fromkeys([TOOL, *(row["condition"] for row in of_set)])
        }
        for fact, found in confidences(of_set).items():
            certainty[f"{set_name}: {fact}"] = found
    return {"scores": scores, "reliability": certainty}


def _as_json(scores: Scores) -> Json:
    return {name: estimate.as_dict() for name, estimate in scores.items()}


def write_report(
    rows: Sequence[Row], settings: Mapping[str, Any], folder: Path | None, plots: bool
) -> str:
    """Score a run and write it up; files are written where a folder is given."""
    summary = summarise(rows)

    def draw(folder: Path) -> list[Path]:
        from llark_py.benchmarks.plots import draw_reliability

        from .pictures import draw_scores

        pictures = [draw_scores(summary["scores"], folder / "tools.png")]
        if summary["reliability"]:
            path = folder / "reliability.png"
            pictures.append(draw_reliability(summary["reliability"], path))
        return pictures

    found = {"run": dict(settings), **summary}
    return keep_report(folder, found, markdown(summary, settings), draw=draw if plots else None)


def markdown(summary: Json, settings: Mapping[str, Any]) -> str:
    """Write a summary for people."""
    parts = [
        f"# Tools\n{describe_run(settings)}\n\n"
        "The first column with 95 % bootstrap intervals over recordings."
    ]
    for name, columns in summary["scores"].items():
        table = score_table(
            {c: {k: Estimate(**v) for k, v in column.items()} for c, column in columns.items()}
        )
        parts.append(f"## {TITLES[name]}\n{table}")
    rows = [
        [name, r["n"], f"{r['mean']:.3f}", f"{r['accuracy']:.3f}", f"{r['ece']:.3f}"]
        for name, r in summary["reliability"].items()
    ]
    table = markdown_table(["confidence in", "answers", "mean", "right", "ECE"], rows)
    return "\n\n".join([*parts, f"## Reliability\n{table}"])
