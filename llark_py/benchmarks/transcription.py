"""How well are drums and notes written down? Composed clips of a soundfont that is held out.

Drums in the mix and alone, and music without any; notes of a piano with and without pedal, beside
what the decoder of the Basic Pitch package makes of the same network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np

from llark_py.analysis import notes
from llark_py.analysis.drum_pieces import PIECES
from llark_py.analysis.drums import measure_drums
from llark_py.audio import Audio
from llark_py.compose.clip import score_track
from llark_py.compose.render import render_stems
from llark_py.compose.room import augment
from llark_py.compose.score import compose
from llark_py.errors import ToolError
from llark_py.librosa_import import load_librosa
from llark_py.track import DrumHit, Note

from .answers import AnswerBook, Row
from .clips import FIRST_SEED
from .drum_scores import count_strokes, f_measure, macro_f, micro_f, sum_counts
from .estimates import Draws, Estimate
from .kept_report import keep_report
from .piano import compose_piano, onset_scores
from .reliability import reliability
from .table import describe_run, markdown_table
from .trial import Trial

DRUMS = ("drums in the mix", "drums alone", "no drums")
_DRUMS_SEED = FIRST_SEED + 50_000_000
_RATE = 22_050
_LEAST_STROKES = 8
_SHORTEST_FRAMES = 11  # Basic Pitch's own
_PLAIN = {"onset_thresh": 0.5, "frame_thresh": 0.3, "min_note_len": _SHORTEST_FRAMES}


def compose_drums(
    kind: str, n: int, soundfont: str, seconds: float, skip: int = 0
) -> Iterator[tuple[str, tuple[DrumHit, ...], Audio]]:
    """Compose clips with drums, of drums alone (those of the same clips) or without drums.

    Args:
        kind: One of `DRUMS`.
        n: How many.
        soundfont: What they are played with.
        seconds: Length of each.
        skip: Leave out so many first.

    Yields:
        A name, the strokes, and the sound in some room.
    """
    scores = (compose(seed, seconds) for seed in count(_DRUMS_SEED))
    if kind == "no drums":
        wanted = (s for s in scores if not score_track(s, 0.0, seconds).drums)
    else:
        wanted = (s for s in scores if len(score_track(s, 0.0, seconds).drums) >= _LEAST_STROKES)
    for score in islice(wanted, skip, skip + n):
        stems = render_stems(score, soundfont, sample_rate=_RATE)
        played = [s.samples for name, s in stems.items() if kind != DRUMS[1] or name == "drums"]
        sound = np.sum(played, axis=0)
        audio = Audio(augment(sound, np.random.default_rng(score.seed), _RATE), _RATE)
        yield f"composed-{score.seed}", score_track(score, 0.0, seconds).drums, audio


def plain_basic_pitch(audio: Audio) -> list[Note]:
    """Write down notes as the package of Basic Pitch does, with its own decoder and thresholds."""
    load_librosa()  # which the package imports
    from basic_pitch import note_creation

    activations, onsets = notes.hear_notes(audio)
    times_s = note_creation.model_frames_to_time(len(activations))
    found = note_creation.output_to_notes_polyphonic(
        activations, onsets, infer_onsets=True, min_freq=None, max_freq=None, **_PLAIN
    )
    return [Note(float(times_s[a]), float(times_s[b]), int(p), 64) for a, b, p, _ in found]


def _transcribe_drums(kind: str, trial: Trial) -> Iterator[Row]:
    clips = compose_drums(kind, trial.n, trial.soundfont, trial.seconds, trial.skip)
    for name, true, audio in clips:
        try:
            drums = measure_drums(audio)
            hits, confidence = drums.hits, drums.confidence
        except ToolError:
            hits, confidence = (), 0.0
        yield {"id": name, "counts": count_strokes(true, hits), "confidence": confidence}


def _transcribe_piano(trial: Trial) -> Iterator[Row]:
    clips = compose_piano(trial.n, trial.soundfont, trial.seconds, trial.skip)
    for number, (kind, true, audio) in enumerate(clips):
        try:
            ours: Sequence[Note] = notes.transcribe(audio)
        except ToolError:
            ours = ()
        plain = plain_basic_pitch(audio)
        scores = {"ours": onset_scores(true, ours), "plain": onset_scores(true, plain)}
        yield {"id": f"piano-{trial.skip + number}", "pedal": kind == "pedal", "scores": scores}


def ask_all(model: Any, processor: Any, trial: Trial, book: AnswerBook) -> None:
    """Transcribe everything that the book does not hold yet; no language model is asked.

    Args:
        model: Not used.
        processor: Not used.
        trial: How many clips, how long, what they are played with.
        book: Keeps the counts.
    """
    for kind in DRUMS:
        book.part(kind, partial(_transcribe_drums, kind, trial))
    book.part("piano", partial(_transcribe_piano, trial))


def report(rows: Sequence[Row], settings: dict[str, Any], folder: Path | None, plots: bool) -> str:
    """Score the counts; with a folder also write `scores.json` and `report.md`.

    Returns:
        Markdown: F-measures of strokes by piece, how honest the confidence is, and those of notes.
    """
    scores = score(rows)
    drums = {kind: scores[kind] for kind in DRUMS[:2]}
    lines = [
        ["all strokes", *(_show_whole(s["micro_f"]) for s in drums.values())],
        ["mean of pieces", *(_show(s["macro_f"]) for s in drums.values())],
    ]
    for piece in PIECES:
        counts = [s["counts"].get(piece) for s in drums.values()]
        cells = [_show(f_measure(*c)) + f" ({c[2]})" if c else "-" for c in counts]
        lines.append([piece, *cells])
    lines.append(["calibration error", *(_show(s["ece"]) for s in drums.values())])
    piano = [
        [name, *(_show(scores["piano"][who][name]) for who in ("ours", "plain"))]
        for name in ("precision", "recall", "f1", "f1, no pedal", "f1, pedal")
    ]
    text = "\n\n".join(
        [
            f"# Transcription\n{describe_run(settings)}",
            "F-measure of strokes within 50 ms, in brackets how many there are.",
            markdown_table(["", *drums], lines),
            f"Of music without drums it is said that there are none: "
            f"{_show(scores['no drums']['refused'])}",
            "Notes of a piano that begin within 50 ms at the right pitch, mean of the clips.",
            markdown_table(["", "llark", "Basic Pitch alone"], piano),
        ]
    )
    return keep_report(folder, {"run": settings, "scores": scores}, text)


def score(rows: Sequence[Row]) -> dict[str, Any]:
    """Score the rows: of each kind of drums `micro_f` (with its interval), `macro_f`, `counts` and
    `ece`; of music without `refused`; of piano both decoders."""
    scores: dict[str, Any] = {}
    for kind in DRUMS:
        here = [row for row in rows if row["part"] == kind]
        many = [row["counts"] for row in here]
        if kind == "no drums":
            scores[kind] = {"refused": float(np.mean([not counts for counts in many]))}
            continue
        reached = [micro_f(counts) for counts in many]
        total = sum_counts(many)
        scores[kind] = {
            "micro_f": _micro_f(here).as_dict(),
            "macro_f": macro_f(total),
            "counts": total,
            "ece": reliability([row["confidence"] for row in here], reached)["ece"],
        }
    piano = [row for row in rows if row["part"] == "piano"]
    for who in ("ours", "plain"):
        numbers = np.array([row["scores"][who] for row in piano])
        pedal = np.array([row["pedal"] for row in piano])
        means = dict(zip(("precision", "recall", "f1"), numbers.mean(0).tolist(), strict=True))
        means["f1, pedal"] = float(numbers[pedal, 2].mean())
        means["f1, no pedal"] = float(numbers[~pedal, 2].mean())
        scores.setdefault("piano", {})[who] = means
    return scores


def _micro_f(rows: Sequence[Row]) -> Estimate:
    """F-measure of all strokes, with its interval over clips."""
    sums = np.array([np.sum(list(row["counts"].values()), 0) for row in rows if row["counts"]])
    right, found, true = sums.T
    draws = Draws([row["id"] for row in rows if row["counts"]])
    return draws.estimate(lambda weights: 2 * weights @ right / (weights @ (found + true)))


def _show(value: float) -> str:
    return f"{value:.3f}"


def _show_whole(estimate: dict[str, float]) -> str:
    return f"{estimate['value']:.3f} ({estimate['low']:.3f}-{estimate['high']:.3f})"
