"""The tools benchmark as numbers, as Markdown and as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llark_py.benchmarks.answers import Row
from llark_py.benchmarks.baselines import constant_rows
from llark_py.benchmarks.chapters import Chapter, Grid
from llark_py.benchmarks.estimates import N_DRAWS, Estimate
from llark_py.benchmarks.kept_report import keep_run
from llark_py.benchmarks.qa.scoring import NO_READER
from llark_py.benchmarks.set_runs import OwnSet, SetRun, played
from llark_py.benchmarks.table import score_cells

from .scoring import BOUNDARY_WINDOWS_S, TOOL, Scores, confidences, score_facts

TITLES = {
    "clips": "Composed clips",
    "pianos": "Composed piano alone",
    "songs": "Composed songs",
    "mixes": "Stems of composed mixes (dB)",
    "unseen": "By example, instruments that training never heard (dB)",
    "real": "Real recordings",
}
# The scores that pictures show.
_PRIMARY = {
    "clips": "beats_f",
    "pianos": "notes_onset_f1",
    "songs": f"boundaries_f {BOUNDARY_WINDOWS_S[1]:g} s",
    "mixes": "sdr vocals",
    "unseen": "sdr like",
    "real": "beats_f",
}
_PLAYED = {"clips": ("soundfont", "seconds", "instruments"), "real": ()}
_CONSTANT_FACTS = ("tempo", "key", "instruments", "vocals")

Json = dict[str, Any]


def summarise(rows: Sequence[Row], n_draws: int = N_DRAWS) -> Json:
    """Score everything that a run holds.

    Returns:
        As JSON holds it: `scores` (set -> condition -> score -> estimate) and `reliability`
        (`<set>: <fact>` -> as `reliability.reliability` gives it).
    """
    return _summarise(rows, _score_sets(rows, n_draws))


def _score_sets(rows: Sequence[Row], n_draws: int = N_DRAWS) -> dict[str, dict[str, Scores]]:
    """Score every set of a run under each of its conditions, and constant answers."""
    found = {}
    for set_name in [name for name in TITLES if any(row["set"] == name for row in rows)]:
        of_set = [row for row in rows if row["set"] == set_name]
        own = [r for r in of_set if r["condition"] == TOOL and r["fact"] in _CONSTANT_FACTS]
        of_set += constant_rows(own)
        found[set_name] = {
            condition: score_facts([r for r in of_set if r["condition"] == condition], n_draws)
            for condition in dict.fromkeys([TOOL, *(row["condition"] for row in of_set)])
        }
    return found


def _summarise(rows: Sequence[Row], by_set: Mapping[str, Mapping[str, Scores]]) -> Json:
    certainty: Json = {}
    for set_name in by_set:
        for fact, found in confidences([r for r in rows if r["set"] == set_name]).items():
            certainty[f"{set_name}: {fact}"] = found
    scores = {
        set_name: {
            condition: {name: estimate.as_dict() for name, estimate in of.items()}
            for condition, of in columns.items()
        }
        for set_name, columns in by_set.items()
    }
    return {"scores": scores, "reliability": certainty}


def write_report(
    rows: Sequence[Row], settings: Mapping[str, Any], folder: Path | None, plots: bool
) -> str:
    """Score a run and write it up; files are written where a folder is given."""
    by_set = _score_sets(rows)
    summary = _summarise(rows, by_set)

    def draw(folder: Path) -> list[Path]:
        from llark_py.benchmarks.plots import draw_reliability

        from .pictures import draw_scores

        pictures = [draw_scores(summary["scores"], folder / "tools.png")]
        if summary["reliability"]:
            path = folder / "reliability.png"
            pictures.append(draw_reliability(summary["reliability"], path))
        return pictures

    return keep_run(
        folder,
        settings,
        summary,
        title="Tools",
        chapters=_chapters(summary),
        sets=_tell_sets(rows, by_set, settings) if folder else [],
        draw=draw if plots else None,
    )


def _chapters(summary: Json) -> list[Chapter]:
    """Write a summary for people."""
    chapters = []
    for name, columns in summary["scores"].items():
        head, cells = score_cells(
            {c: {k: Estimate(**v) for k, v in column.items()} for c, column in columns.items()}
        )
        chapters.append(Chapter(TITLES[name], tables=[Grid("", head, cells)]))
    rows = [
        [name, r["n"], f"{r['mean']:.3f}", f"{r['accuracy']:.3f}", f"{r['ece']:.3f}"]
        for name, r in summary["reliability"].items()
    ]
    table = Grid("", ["confidence in", "answers", "mean", "right", "ECE"], rows)
    return [*chapters, Chapter("Reliability", tables=[table])]


def _tell_sets(
    rows: Sequence[Row], by_set: Mapping[str, Mapping[str, Scores]], settings: Mapping[str, Any]
) -> list[SetRun]:
    """Tell the sets of a run as tasks; nothing of them is read, since tools give values."""
    found = []
    for name, columns in by_set.items():
        own = OwnSet(
            benchmark="tools",
            name=name,
            own=TOOL,
            reader=NO_READER,
            primary=_PRIMARY[name],
            read=lambda row: row["value"],
            score=lambda row: score_facts([row], n_draws=0),
            played=played(settings, *_PLAYED.get(name, ("soundfont",))),
        )
        found.append(own.tell([row for row in rows if row["set"] == name], columns))
    return found
