"""Rows of the tools benchmark -> scores with intervals, by mir_eval wherever it has the metric.

What a tool could not say counts as wrong. Times match within mir_eval's own windows: 70 ms for
beats, 50 ms for notes and drums, 0.5 s and 3 s for boundaries.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from llark_py.analysis.drum_pieces import PIECES
from llark_py.analysis.separation_quality import GOOD_SNR_DB
from llark_py.benchmarks.answers import Row
from llark_py.benchmarks.drum_scores import KIT, THREE, Counts, count_strokes, micro_f
from llark_py.benchmarks.estimates import N_DRAWS, Draws, Estimate
from llark_py.benchmarks.reliability import is_right, reliability
from llark_py.benchmarks.scores import ALL_FAMILIES
from llark_py.benchmarks.scores import score as score_plain
from llark_py.track import DrumHit

TOOL = "tool"
ONSET_WINDOW_S = 0.05
BOUNDARY_WINDOWS_S = (0.5, 3.0)
_FRAME_S = 0.1
# Fewer classes than pieces, each named by one of its pieces; what is in none is left out.
_COARSER = {
    "drums_any": dict.fromkeys(PIECES, "kick"),
    "drums_kit": KIT,
    "drums_three": THREE,
}
_PLAIN = ("tempo", "key", "tonic", "instruments", "vocals")
_A4_HZ, _A4_MIDI = 440.0, 69

Scores = dict[str, Estimate]


def score_facts(rows: Sequence[Row], n_draws: int = N_DRAWS) -> Scores:
    """Score the answers of one set under one condition.

    Args:
        rows: At least one; `fact`, `truth`, `value`.
        n_draws: Bootstrap draws of the intervals; recordings are drawn.
    """
    scores: Scores = {}
    plain = [row for row in rows if row["fact"] in _PLAIN]
    if plain:
        scores |= score_plain(plain, n_draws)
    scorers: dict[str, Callable[[Sequence[Row], Draws], Scores]] = {
        "beats": _score_beats,
        "downbeats": _score_beats,
        "chords": _score_chords,
        "notes": _score_notes,
        "activity": _score_activity,
        "drums": _score_drums,
        "sections": _score_sections,
        "separation": _score_separation,
    }
    for fact, scorer in scorers.items():
        of = [row for row in rows if row["fact"] == fact]
        if of:
            scores |= scorer(of, Draws([row["id"] for row in of], n_draws))
    return scores


def _score_beats(rows: Sequence[Row], draws: Draws) -> Scores:
    return {f"{rows[0]['fact']}_f": draws.mean([beat_f(r["truth"], r["value"]) for r in rows])}


def beat_f(truth: Sequence[float], said: Sequence[float] | None) -> float:
    """F-measure of beats within 70 ms, the first 5 s left out as in MIREX."""
    import mir_eval

    reference, estimate = (mir_eval.beat.trim_beats(np.array(x or [])) for x in (truth, said))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of empty beats
        return float(mir_eval.beat.f_measure(reference, estimate))


def _score_chords(rows: Sequence[Row], draws: Draws) -> Scores:
    return {"chords_majmin": draws.mean([chord_overlap(r["truth"], r["value"]) for r in rows])}


def chord_overlap(truth: Sequence[Sequence[Any]], said: Sequence[Sequence[Any]] | None) -> float:
    """Share of the time in which root and mode are right (mir_eval's `majmin`)."""
    import mir_eval

    if not said:
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of chords that majmin does not compare
        found = mir_eval.chord.evaluate(*_labelled(truth), *_labelled(said))
    return float(found["majmin"])


def _score_notes(rows: Sequence[Row], draws: Draws) -> Scores:
    values = [note_f(row["truth"], row["value"]) for row in rows]
    return {"notes_onset_f1": draws.mean(values)}


def note_f(truth: Sequence[Sequence[float]], said: Sequence[Sequence[float]]) -> float:
    """F1 of notes whose onset is within 50 ms and pitch within a quarter tone (mir_eval)."""
    import mir_eval

    if not len(truth) or not len(said):
        return float(len(truth) == len(said))
    *_, f1, _ = mir_eval.transcription.precision_recall_f1_overlap(
        *_pitched(truth), *_pitched(said), onset_tolerance=ONSET_WINDOW_S, offset_ratio=None
    )
    return float(f1)


def _score_activity(rows: Sequence[Row], draws: Draws) -> Scores:
    counts = np.array([_family_frames(row) for row in rows])
    scores = draws.count_f1(*np.moveaxis(counts, 2, 0))
    return {"activity_f1": scores["micro"], "activity_macro_f1": scores["macro"]}


def _family_frames(row: Row) -> list[tuple[int, int, int]]:
    """Count frames of 0.1 s in which each family is rightly said to play, said to, and does."""
    n = round(row["duration_s"] / _FRAME_S) + 1
    counts = []
    for family in ALL_FAMILIES:
        said, true = (_frames((row[k] or {}).get(family, ()), n) for k in ("value", "truth"))
        counts.append((int((said & true).sum()), int(said.sum()), int(true.sum())))
    return counts


def _frames(spans: Sequence[Sequence[float]], n: int) -> np.ndarray:
    playing = np.zeros(n, bool)
    for start, end in spans:
        playing[round(start / _FRAME_S) : round(end / _FRAME_S)] = True
    return playing


def _score_drums(rows: Sequence[Row], draws: Draws) -> Scores:
    counts = [_count(row["truth"], row["value"]) for row in rows]
    table = np.array([[c.get(piece, (0, 0, 0)) for piece in PIECES] for c in counts])
    found = draws.count_f1(*np.moveaxis(table, 2, 0))
    scores = {"drums_onset_f1": found.pop("micro"), "drums_onset_macro_f1": found.pop("macro")}
    for name, classes in _COARSER.items():
        table = np.array([_sum_strokes(row, classes) for row in rows])[:, None]
        scores[f"{name}_onset_f1"] = draws.count_f1(*np.moveaxis(table, 2, 0))["micro"]
    del found["lowest"]
    names = list(PIECES)
    return scores | {f"drums {names[int(i)]}": value for i, value in found.items()}


def _sum_strokes(row: Row, classes: Mapping[str, str]) -> np.ndarray:
    """Sum the counts of all classes that pieces are joined to: (3,)."""
    both = (row["truth"], row["value"] or ())
    counts = _count(*([[t, classes[p]] for t, p in hits if p in classes] for hits in both))
    return np.sum([*counts.values(), (0, 0, 0)], 0)


def _count(truth: Sequence[Sequence[Any]], said: Sequence[Sequence[Any]] | None) -> Counts:
    strokes = [[DrumHit(t, piece, 0) for t, piece in hits] for hits in (truth, said or ())]
    return count_strokes(*strokes)


def drum_f(truth: Sequence[Sequence[Any]], said: Sequence[Sequence[Any]] | None) -> float:
    """F1 of all strokes of a recording within 50 ms, each on its piece."""
    return micro_f(_count(truth, said))


def _score_sections(rows: Sequence[Row], draws: Draws) -> Scores:
    values = np.array([section_scores(row["truth"], row["value"]) for row in rows])
    names = [*(f"boundaries_f {w:g} s" for w in BOUNDARY_WINDOWS_S), "sections_pairwise_f"]
    return {name: draws.mean(values[:, i].tolist()) for i, name in enumerate(names)}


def section_scores(truth: Sequence[Sequence[Any]], said: Sequence[Sequence[Any]]) -> list[float]:
    """F of boundaries within 0.5 s and 3 s (start and end left out) and pairwise F (mir_eval)."""
    import mir_eval

    if not said:
        return [0.0, 0.0, 0.0]
    (true, true_labels), (spans, labels) = _labelled(truth), _labelled(said)
    spans, labels = mir_eval.util.adjust_intervals(
        spans, labels, t_min=float(true.min()), t_max=float(true.max())
    )
    found = []
    for window in BOUNDARY_WINDOWS_S:
        if len(spans) > 1:
            *_, f = mir_eval.segment.detection(true, spans, window=window, trim=True)
        else:
            f = 0.0
        found.append(float(f))
    *_, f = mir_eval.segment.pairwise(true, true_labels, spans, labels)
    return [*found, float(f)]


def _score_separation(rows: Sequence[Row], draws: Draws) -> Scores:
    scores = {}
    for what in dict.fromkeys(row["what"] for row in rows):
        of = [row for row in rows if row["what"] == what]
        own = Draws([row["id"] for row in of], len(draws.weights) - 1)
        for metric in of[0]["value"]:
            scores[f"{metric} {what}"] = own.mean([row["value"][metric] for row in of])
    return scores


def confidences(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Compare what the tools say of their certainty with how right they are.

    A confidence in chords or drums is compared with the share that is right: of the time, and of
    the strokes (F1). That in a stem is the probability that its SNR is 5 dB or better.

    Returns:
        By fact what `reliability` gives. Of instruments each family that is named counts.
    """
    found: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows:
        sure = row.get("confidence")
        if row["condition"] != TOOL or sure is None:
            continue
        said, right = found.setdefault(row["fact"], ([], []))
        if row["fact"] == "instruments":
            said += sure.values()
            right += [float(family in row["truth"]) for family in sure]
        else:
            said.append(sure)
            right.append(_share_right(row))
    return {fact: reliability(*pair) for fact, pair in found.items() if pair[0]}


def _share_right(row: Row) -> float:
    shares: Mapping[str, Callable[[Any, Any], float]] = {
        "chords": chord_overlap,
        "drums": drum_f,
        "beats": beat_f,
        "vocals": lambda truth, said: float(truth is said),
        "separation": lambda _, scores: float(scores["snr"] >= GOOD_SNR_DB),
    }
    fact = row["fact"]
    return shares[fact](row["truth"], row["value"]) if fact in shares else float(is_right(row))


def _labelled(spans: Sequence[Sequence[Any]]) -> tuple[np.ndarray, list[str]]:
    return np.array([[s[0], s[1]] for s in spans], float), [s[2] for s in spans]


def _pitched(notes: Sequence[Sequence[float]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(notes, float)
    return table[:, :2], _A4_HZ * 2 ** ((table[:, 2] - _A4_MIDI) / 12)
