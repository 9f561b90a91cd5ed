"""The sets of the listening benchmark as tasks: what each answer says, and what it scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .answers import Row
from .clips import CONDITIONS, TEXT_ONLY
from .estimates import Estimate
from .paraphrases import SET as PARAPHRASES
from .paraphrases import read_paraphrased
from .scores import Scores, said_by, score
from .sections import boundaries_said, entrance_said
from .set_runs import OwnSet, SetRun, played
from .songs import WITH_TOOLS

BENCHMARK = "listening"
_OWN = "audio"
_STRICT = "strict"
# The scores that pictures show; also the sets, in the order of the report.
_PRIMARY = {
    "clips": "family_macro_f1",
    "voices": "vocals",
    "sounds": "not_music_balanced",
    "songs": "form_f",
    "real": "family_f1",
    PARAPHRASES: "style_accuracy",
}
_PLAYED = {
    "songs": ("soundfont",),
    "real": (),
}


def tell_sets(
    rows: Sequence[Row],
    by_set: Mapping[str, Mapping[str, Scores]],
    paraphrased: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
) -> list[SetRun]:
    """Tell the sets of a run as tasks.

    Args:
        rows: All answers.
        by_set: From `scores.score_rows`.
        paraphrased: From `paraphrases.score_paraphrases`.
        settings: Of the run.
    """
    columns: dict[str, Mapping[str, Scores]] = {**by_set}
    if paraphrased:
        columns[PARAPHRASES] = {_OWN: _paraphrase_scores(paraphrased)}
    found = []
    for name, primary in _PRIMARY.items():
        if name not in columns:
            continue
        own = OwnSet(
            benchmark=BENCHMARK,
            name=name,
            own=_OWN,
            reader=_STRICT,
            primary=primary,
            read=read_paraphrased if name == PARAPHRASES else read_row,
            score=_score_paraphrased if name == PARAPHRASES else _score_one,
            played=played(settings, *_PLAYED.get(name, ("soundfont", "seconds", "instruments"))),
            asked=(*CONDITIONS, TEXT_ONLY, WITH_TOOLS),
        )
        of_set = [row for row in rows if row["set"] == name]
        if name == PARAPHRASES:
            of_set = [{**row, "asked": row["question"]} for row in of_set]
        found.append(own.tell(of_set, columns[name]))
    return found


def read_row(row: Row) -> Any:
    """Read what a row of any fact says."""
    if row["fact"] == "form":
        return boundaries_said(row)
    return entrance_said(row) if row["fact"] == "entrance" else said_by(row)


def _score_one(row: Row) -> Scores:
    return score([row], n_draws=0)


def _score_paraphrased(row: Row) -> Scores:
    right = float(read_paraphrased(row) == row["truth"])
    return {f"{row['fact']}_accuracy": Estimate(right, right, right, 1)}


def _paraphrase_scores(found: Mapping[str, Mapping[str, Any]]) -> Scores:
    return {
        f"{fact}_{name}": Estimate(**of[name])
        for fact, of in found.items()
        for name in ("accuracy", "consistency")
    }
