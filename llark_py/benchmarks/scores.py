"""Rows of answers -> scores with intervals, by set and condition. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from llark_py.compose.instruments import FAMILIES
from llark_py.compose.styles import STYLES
from llark_py.theory import parse_key, pitch_class

from .answers import Row
from .baselines import TEMPO_TOLERANCE, chance_rows, constant_rows
from .clips import VOICE
from .estimates import N_DRAWS, Draws, Estimate
from .parsing import (
    parse_families,
    parse_not_music,
    parse_style,
    parse_time_signature,
    parse_vocals,
    parse_yes_no,
)
from .sections import score_entrances, score_forms
from .spoken_values import keys_named, tempi_or_numbers, tonics_named

ALL_FAMILIES = tuple(dict.fromkeys((*FAMILIES, VOICE)))
_OCTAVES = (1, 2, 3, 1 / 2, 1 / 3)

Scores = dict[str, Estimate]


def said_by(row: Row, styles: Sequence[str] = STYLES) -> Any:
    """Read what a row says: the value of a tool or a head, or the fact in the words of an answer.

    Args:
        row: As `questions.ask` gives them.
        styles: Style names to look for.
    """
    if "value" in row:
        return row["value"]
    readers: dict[str, Callable[[str], Any]] = {
        "style": lambda text: parse_style(text, styles),
        "time_signature": parse_time_signature,
        "instruments": lambda text: sorted(parse_families(text)),
        "yes_no": parse_yes_no,
        "vocals": parse_vocals,
        "not_music": parse_not_music,
        # The only one that is named, as of all other facts.
        "tempo": lambda text: _only(tempi_or_numbers(text)),
        "key": lambda text: _only(keys_named(text)),
        "tonic": lambda text: _only(keys_named(text) or tonics_named(text)),
    }
    return readers[row["fact"]](row["answer"])


def _only(named: Sequence[Any]) -> Any:
    return named[0] if len(set(named)) == 1 else None


def score(rows: Sequence[Row], n_draws: int = N_DRAWS) -> Scores:
    """Score the answers of one set under one condition.

    Args:
        rows: At least one.
        n_draws: Bootstrap draws of the intervals.

    Returns:
        Scores by name, of the facts that were asked: `tempo_acc1` (within 4 %), `tempo_acc2`
        (also at 2, 3, 1/2, 1/3 of it), `key` (exact), `key_mirex` (mir_eval's weighted score),
        `mode`, `tonic`, `style`, `time_signature` (each also `_macro`: mean over classes),
        `family_f1` (micro), `family_macro_f1`, `family_lowest_f1`, `f1 X`, `family_recall`,
        `yes_no` (balanced over all), `yes_no_macro` (mean over families), `vocals` (balanced),
        `not_music` (share of sounds called no music), `music` (share of music taken for it),
        `not_music_balanced`, the first two also by kind (`not music: X`),
        `entrance_3s`, `form_f`, and `unparsed` (share of spoken answers that could not be read).
    """
    by_fact: dict[str, list[Row]] = {}
    for row in rows:
        by_fact.setdefault(row["fact"], []).append(row)
    styles = tuple(dict.fromkeys((*STYLES, *(r["truth"] for r in by_fact.get("style", ())))))
    scorers: dict[str, Callable[[list[Row], list[Any], Draws], Scores]] = {
        "tempo": _score_tempo,
        "key": _score_key,
        "tonic": _score_tonic,
        "style": _score_class,
        "time_signature": _score_class,
        "instruments": _score_families,
        "yes_no": _score_yes_no,
        "vocals": _score_vocals,
        "not_music": _score_not_music,
        "entrance": score_entrances,
        "form": score_forms,
    }
    scores: Scores = {}
    unread: list[tuple[str, bool]] = []
    for fact, scorer in scorers.items():
        if fact not in by_fact:
            continue
        of = by_fact[fact]
        if fact in ("entrance", "form"):
            said: list[Any] = [row.get("value") for row in of]
        else:
            said = [said_by(row, styles) for row in of]
            spoken = [(r["id"], s is None) for r, s in zip(of, said, strict=True) if "answer" in r]
            unread += spoken
        scores |= scorer(of, said, Draws([row["id"] for row in of], n_draws))
    if unread:
        scores["unparsed"] = Draws([i for i, _ in unread], n_draws).mean([u for _, u in unread])
    return scores


def _truths(rows: Sequence[Row]) -> list[Any]:
    return [row["truth"] for row in rows]


def tempo_hits(said: float, truth: float) -> tuple[bool, bool]:
    """Tell whether a tempo is within 4 %, and whether it is if octaves and thirds are allowed."""
    near = [abs(said / truth / octave - 1) < TEMPO_TOLERANCE for octave in _OCTAVES]
    return near[0], any(near)


def _score_tempo(rows: list[Row], said: list[Any], draws: Draws) -> Scores:
    hits = [tempo_hits(s or 0.0, row["truth"]) for s, row in zip(said, rows, strict=True)]
    return {
        "tempo_acc1": draws.mean([acc1 for acc1, _ in hits]),
        "tempo_acc2": draws.mean([acc2 for _, acc2 in hits]),
    }


def _score_key(rows: list[Row], said: list[Any], draws: Draws) -> Scores:
    import mir_eval

    pairs = list(zip(said, _truths(rows), strict=True))
    read = [(parse_key(s) if s else (None, None), parse_key(t)) for s, t in pairs]
    weighted = [mir_eval.key.weighted_score(t, s) if s else 0.0 for s, t in pairs]
    return {
        "key": draws.mean([s == t for s, t in read]),
        "key_mirex": draws.mean(weighted),
        "mode": draws.class_mean([s[1] == t[1] for s, t in read], [t[1] for _, t in read]),
    }


def _score_tonic(rows: list[Row], said: list[Any], draws: Draws) -> Scores:
    hits = [
        s is not None and pitch_class(s.split()[0]) == pitch_class(t.split()[0])
        for s, t in zip(said, _truths(rows), strict=True)
    ]
    return {"tonic": draws.mean(hits)}


def _score_class(rows: list[Row], said: list[Any], draws: Draws) -> Scores:
    fact, truths = rows[0]["fact"], _truths(rows)
    hits = [s == t for s, t in zip(said, truths, strict=True)]
    return {fact: draws.mean(hits), f"{fact}_macro": draws.class_mean(hits, truths)}


def _score_families(rows: list[Row], said: list[Any], draws: Draws) -> Scores:
    named = np.array([[f in s for f in ALL_FAMILIES] for s in said])
    true = np.array([[f in t for f in ALL_FAMILIES] for t in _truths(rows)])
    found = draws.f1(named, true)
    scores = {
        "family_f1": found.pop("micro"),
        "family_macro_f1": found.pop("macro"),
        "family_lowest_f1": found.pop("lowest"),
    }
    recall = [(n & t).sum() / t.sum() if t.any() else 1.0 for n, t in zip(named, true, strict=True)]
    scores["family_recall"] = draws.mean(recall)
    return scores | {f"f1 {ALL_FAMILIES[int(k)]}": value for k, value in found.items()}


def _score_yes_no(rows: list[Row], said: list[Any], draws: Draws) -> Scores:
    truths, families = _truths(rows), [row["asked"] for row in rows]
    hits = [s is t for s, t in zip(said, truths, strict=True)]
    return {
        "yes_no": draws.class_mean(hits, truths),
        "yes_no_macro": draws.balanced_by_group(hits, truths, families),
    }


def _score_vocals(rows: list[Row], said: list[Any], draws: Draws) -> Scores:
    truths = _truths(rows)
    hits = [s is t for s, t in zip(said, truths, strict=True)]
    return {"vocals": draws.class_mean(hits, truths)}


def _score_not_music(rows: list[Row], said: list[Any], draws: Draws) -> Scores:
    every = [s is row["truth"] for row, s in zip(rows, said, strict=True)]
    scores: Scores = {"not_music_balanced": draws.class_mean(every, _truths(rows))}
    pairs = list(zip(rows, said, strict=True))
    groups: list[tuple[str, list[tuple[Row, Any]]]] = [
        ("not_music", [p for p in pairs if p[0]["truth"]]),
        ("music", [p for p in pairs if not p[0]["truth"]]),
    ]
    kinds = dict.fromkeys(r["kind"] for r in rows if r.get("kind") and r["truth"])
    groups += [(f"not music: {k}", [p for p in pairs if p[0].get("kind") == k]) for k in kinds]
    for name, of in groups:
        if of:
            hits = [s is r["truth"] for r, s in of]
            scores[name] = Draws([r["id"] for r, _ in of], len(draws.weights) - 1).mean(hits)
    return scores


def score_rows(rows: Sequence[Row], n_draws: int = N_DRAWS) -> dict[str, dict[str, Scores]]:
    """Score every set of a run under each of its conditions, constant answers and chance.

    Returns:
        Set -> condition -> scores.
    """
    found: dict[str, dict[str, Scores]] = {}
    for set_name in dict.fromkeys(row["set"] for row in rows):
        of_set = [row for row in rows if row["set"] == set_name]
        # Boundaries have controls of their own.
        own = [r for r in of_set if r["condition"] == "audio" and r["fact"] != "form"]
        of_set = [*of_set, *constant_rows(own), *chance_rows(own)]
        conditions = dict.fromkeys(row["condition"] for row in of_set)
        found[set_name] = {
            c: score([r for r in of_set if r["condition"] == c], n_draws) for c in conditions
        }
    return found
