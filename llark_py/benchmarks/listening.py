"""Does it listen? Facts about fresh clips, singers, sounds, songs and real recordings.

Clips are composed with a soundfont that training never used. Every fact is asked with the clip
itself, again with noise, silence and another clip's sound in its place, and without any: what a
model still gets right then, it does not get from listening. Tempo and key come from the tools,
everything else from the model's own words; what the heads of its encoder say stands beside. Others
than our models are asked everything in words (`answering_ear.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .answers import AnswerBook, Piece, Row
from .asking import Listener
from .clips import CONDITIONS, TEXT_ONLY, compose_clips, compose_voices, make_sounds
from .listening_report import summarise, write_report
from .paraphrases import ask_by_fact
from .questions import (
    Ear,
    ask_by_condition,
    balanced_families,
    clip_item,
    sound_item,
    voice_item,
)
from .real import read_real
from .songs import ask_songs_by_condition, compose_songs
from .trial import Trial

NAME = "listening"
_CHUNK = 50
# Of `n` clips: pairs of sung and unsung ones, each sound that is no music, songs, and clips that
# are asked about in thirty ways.
_VOICES, _SOUNDS, _SONGS, _PARAPHRASED = 0.5, 0.05, 0.08, 0.05
_SONGS_AT_ONCE = 4


def ask_all(model: Any, processor: Any, trial: Trial, book: AnswerBook) -> None:
    """Ask everything that the book has no answers to.

    Args:
        model: A `LlarkForConditionalGeneration` in evaluation mode.
        processor: Its processor.
        trial: What is asked about.
        book: Keeps the answers, part by part.

    Raises:
        ConfigError: The folder of real recordings has no manifest.
    """
    listener = Listener(model, processor)
    with listener.lending_ears():
        ask_ear(listener, trial, book)


def ask_ear(ear: Ear, trial: Trial, book: AnswerBook) -> None:
    """Ask whoever hears, measures and answers; `ask_all` asks a model."""
    trial.check()
    # Read first: a file that cannot be read is told before an hour of work.
    real = read_real(trial.real) if trial.real is not None else []
    font, seconds = trial.soundfont, trial.seconds

    def under(*conditions: str) -> Sequence[str]:
        return conditions if trial.blind else conditions[:1]

    def clips(first: int, n: int) -> Iterable[Piece]:
        composed = compose_clips(n, font, seconds, trial.instruments, first)
        items = [clip_item(clip) for clip in composed]
        drawn = balanced_families(items, first)
        baselines = trial.thorough
        return ask_by_condition(
            ear,
            "clips",
            items,
            conditions=under(*CONDITIONS, TEXT_ONLY),
            yes_no=drawn,
            baselines=baselines,
        )

    def voices(first: int, n: int) -> Iterable[Piece]:
        composed = compose_voices(n, font, seconds, first)
        items = [voice_item(clip, first + i) for i, clip in enumerate(composed)]
        conditions = under(*CONDITIONS[:3], TEXT_ONLY)
        return ask_by_condition(ear, "voices", items, conditions=conditions)

    book.in_chunks("clips", trial.skip, trial.n, _CHUNK, clips)
    # Whole pairs; the other clip of a pair would tell the answer, so there is no such condition.
    n_voices = _share(trial.n, _VOICES, 2)
    book.in_chunks("voices", trial.skip // 2 * 2, n_voices, _CHUNK, voices)

    def sounds() -> Iterable[Piece]:
        each = _share(trial.n, _SOUNDS, 2)
        unlike = [sound_item(clip) for clip in make_sounds(each, seconds, trial.skip)]
        music = compose_clips(each, font, seconds, trial.instruments, trial.skip)
        return ask_by_condition(
            ear, "sounds", [*unlike, *map(sound_item, music)], conditions=("audio",)
        )

    book.pieces("sounds", sounds)
    if real:
        conditions = under("audio", "noise", "other clip")
        book.pieces(
            "real",
            lambda: ask_by_condition(ear, "real", real, conditions=conditions, baselines=True),
        )
    if not trial.thorough:
        return

    def songs(first: int, n: int) -> Iterable[Piece]:
        conditions = under("audio", "noise", "other clip")
        return ask_songs_by_condition(ear, compose_songs(n, font, first), conditions)

    book.in_chunks("songs", trial.skip, _share(trial.n, _SONGS, 2), _SONGS_AT_ONCE, songs)

    def paraphrases() -> Iterable[Piece]:
        n = _share(trial.n, _PARAPHRASED, 2)
        # With singers in half of them, so that each answer is right about as often as not.
        return ask_by_fact(ear, compose_voices(n, font, seconds, trial.skip), trial.questions)

    book.pieces("paraphrases", paraphrases)


def evaluate_model(model: Any, processor: Any, trial: Trial) -> dict[str, dict[str, float]]:
    """Ask and score in one go.

    Returns:
        Scores by condition, without intervals.
    """
    book = AnswerBook(trial.out, trial.settings())
    ask_all(model, processor, trial, book)
    table = summarise(book.rows, n_draws=0)["composed"]
    return {c: {k: v["value"] for k, v in scores.items()} for c, scores in table.items()}


def report(rows: Sequence[Row], settings: dict[str, Any], folder: Path | None, plots: bool) -> str:
    """Score the answers of a run; with a folder also write `scores.json`, `report.md` and plots.

    Returns:
        The report as Markdown.
    """
    return write_report(rows, settings, folder, plots)


def _share(n: int, share: float, least: int) -> int:
    """An even share of `n`, not less than `least`."""
    return max(least, round(n * share) // 2 * 2)
