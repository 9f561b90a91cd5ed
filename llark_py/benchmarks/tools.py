"""How well the tools measure: composed music of which everything is known, and real recordings.

Every tool is set beside what others do of the same recording: librosa, Basic Pitch's own command,
Laplacian segmentation, HPSS, REPET-SIM, a constant answer. Nothing is asked in words: the language
model has no part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from llark_py.analysis.drums import measure_drums
from llark_py.assistant.ears import ears_of
from llark_py.audio import Audio
from llark_py.errors import ToolError
from llark_py.track import Track

from .answers import AnswerBook, Piece, Row
from .baselines import librosa_answers
from .clips import FIRST_SEED, Clip, compose_clips
from .drum_scores import true_strokes
from .measuring import recordings
from .measuring.facts import (
    measured_facts,
    measured_notes,
    measured_sections,
    note_facts,
    section_facts,
    track_facts,
)
from .measuring.music import compose_mixes, compose_unseen
from .measuring.report import write_report
from .measuring.rivals import (
    BANDS,
    BASIC_PITCH,
    LAPLACIAN,
    LIBROSA,
    band_onsets,
    basic_pitch_notes,
    laplacian_sections,
    librosa_beats,
    librosa_chords,
)
from .measuring.scoring import TOOL
from .measuring.stems import ask_mixes, ask_unseen
from .piano import compose_piano
from .sections import EVEN, evenly_spaced
from .songs import compose_songs
from .trial import Trial

_CHUNK = 20
# Of `n` clips: those whose notes are written down; and so many lone pianos, songs, mixes.
_NOTES_EVERY = 4
_PIANOS, _SONGS, _MIXES, _UNSEEN = 0.2, 0.2, 0.2, 0.3
_SONGS_AT_ONCE = 4
_PIANO_S = 20.0
_PIANO_SEED, _SEEDS_EACH = FIRST_SEED + 60_000_000, 20


def ask_all(model: Any, processor: Any, trial: Trial, book: AnswerBook) -> None:
    """Measure everything that the book does not hold yet.

    Args:
        model: A `LlarkForConditionalGeneration`; the tools listen with its encoder.
        processor: Not asked.
        trial: What is measured.
        book: Keeps what was measured, part by part.

    Raises:
        ConfigError: The folder of real recordings has no manifest.
    """
    trial.check()
    with ears_of(model):
        ask_tools(trial, book)


def ask_tools(trial: Trial, book: AnswerBook) -> None:
    """Measure with the ears that are lent; see `ask_all`."""
    font, skip = trial.soundfont, trial.skip

    def clips(first: int, n: int) -> Iterator[Piece]:
        for i in range(first, first + n):
            yield str(i), partial(_ask_clip_number, i, trial)

    book.in_chunks("clips", skip, trial.n, _CHUNK, clips)
    others: list[tuple[str, float, Callable[..., Any], Callable[[Any], Iterable[Row]]]] = [
        ("songs", _SONGS, compose_songs, partial(_each, ask_song)),
        ("mixes", _MIXES, compose_mixes, ask_mixes),
        ("unseen", _UNSEEN, compose_unseen, ask_unseen),
    ]
    pianos = partial(_ask_pianos, font)
    book.in_chunks("pianos", skip, _share(trial.n, _PIANOS), _SONGS_AT_ONCE, pianos)
    for name, share, compose, ask in others:
        make = partial(_one_by_one, compose, ask, font)
        book.in_chunks(name, skip, _share(trial.n, share), _SONGS_AT_ONCE, make)
    if trial.real is not None:
        book.pieces("real-facts", partial(recordings.facts_by_recording, trial.real))
        book.pieces("real-notes", partial(recordings.notes_by_recording, trial.real))
        book.pieces("real-stems", partial(recordings.stems_by_song, trial.real))


def _share(n: int, share: float) -> int:
    return max(2, round(n * share))


def _ask_clip_number(index: int, trial: Trial) -> Iterator[Row]:
    [clip] = compose_clips(1, trial.soundfont, trial.seconds, trial.instruments, index)
    yield from ask_clip(clip, notes=index % _NOTES_EVERY == 0)


def ask_clip(clip: Clip, notes: bool) -> Iterator[Row]:
    """Measure a clip with every tool that clips are for.

    Yields:
        Rows `{"set", "id", "duration_s", "fact", "condition", "truth", "value"}`, those of tools
        with `confidence`.
    """
    track, audio = clip.track, clip.audio
    truths, said = track_facts(track), measured_facts(audio)
    beats, downbeats = librosa_beats(audio)
    others = {**librosa_answers(audio).get(LIBROSA, {}), "beats": beats, "downbeats": downbeats}
    others["chords"] = librosa_chords(audio)
    for fact, truth in truths.items():
        value, confidence = said[fact]
        yield _row(track, "clips", fact, truth, TOOL, value, confidence)
        if fact in others:
            yield _row(track, "clips", fact, truth, LIBROSA, others[fact])
    yield from _ask_drums(track, audio)
    if notes and track.notes:
        yield from _ask_notes("clips", clip)


def _ask_drums(track: Track, audio: Audio) -> Iterator[Row]:
    strokes = true_strokes(track.drums)
    truth = sorted([round(float(t), 3), piece] for piece, times in strokes.items() for t in times)
    hits, confidence = _measured_drums(audio)
    if truth or hits:
        yield _row(track, "clips", "drums", truth, TOOL, hits, confidence)
        yield _row(track, "clips", "drums", truth, BANDS, band_onsets(audio))


def _measured_drums(audio: Audio) -> tuple[list[list[Any]], float | None]:
    try:
        found = measure_drums(audio)
    except ToolError:  # it says that there are no drums
        return [], None
    return [[round(hit.time_s, 3), hit.piece] for hit in found.hits], found.confidence


def _compose_pianos(n: int, soundfont: str, skip: int) -> Iterator[Clip]:
    """Play pieces on a piano alone, every second one with its pedal."""
    first_seed = _PIANO_SEED + skip * _SEEDS_EACH  # no need to look through those before
    pieces = compose_piano(n, soundfont, _PIANO_S, first_seed=first_seed)
    for i, (kind, notes, audio) in enumerate(pieces, skip):
        yield Clip(Track(id=f"piano-{kind}-{i}", duration_s=_PIANO_S, notes=notes), audio)


def ask_piano(clip: Clip) -> Iterator[Row]:
    """Write down the notes of a piano alone."""
    yield from _ask_notes("pianos", clip)


def _ask_notes(set_name: str, clip: Clip) -> Iterator[Row]:
    truth = note_facts(clip.track.notes)
    yield _row(clip.track, set_name, "notes", truth, TOOL, measured_notes(clip.audio))
    rival = basic_pitch_notes(clip.audio)
    yield _row(clip.track, set_name, "notes", truth, BASIC_PITCH, rival)


def ask_song(clip: Clip) -> Iterator[Row]:
    """Divide a song into sections; also evenly, into as many as it has."""
    truth = section_facts(clip.track)
    if not truth:
        return
    edges = [0.0, *evenly_spaced(len(truth) - 1, clip.track.duration_s), clip.track.duration_s]
    even = [[a, b, str(i)] for i, (a, b) in enumerate(pairwise(edges))]
    said = {
        TOOL: measured_sections(clip.audio),
        LAPLACIAN: laplacian_sections(clip.audio),
        EVEN: even,
    }
    for condition, value in said.items():
        yield _row(clip.track, "songs", "sections", truth, condition, value)


def report(rows: Sequence[Row], settings: dict[str, Any], folder: Path | None, plots: bool) -> str:
    """Score the answers of a run; with a folder also write `scores.json`, `report.md` and plots.

    Returns:
        The report as Markdown.
    """
    return write_report(rows, settings, folder, plots)


def _row(
    track: Track,
    set_name: str,
    fact: str,
    truth: Any,
    condition: str,
    value: Any,
    confidence: Any = None,
) -> Row:
    return {
        "set": set_name,
        "id": track.id,
        "duration_s": track.duration_s,
        "fact": fact,
        "condition": condition,
        "truth": truth,
        "value": value,
        **({} if confidence is None else {"confidence": confidence}),
    }


def _each(ask: Callable[[Clip], Iterable[Row]], clips: Iterable[Clip]) -> Iterator[Row]:
    for clip in clips:
        yield from ask(clip)


def _one_by_one(
    compose: Callable[[int, str, int], Any],
    ask: Callable[[Any], Iterable[Row]],
    soundfont: str,
    first: int,
    n: int,
) -> Iterator[Piece]:
    for i in range(first, first + n):
        yield str(i), partial(_compose_and_ask, compose, ask, soundfont, i)


def _compose_and_ask(
    compose: Callable[[int, str, int], Any],
    ask: Callable[[Any], Iterable[Row]],
    soundfont: str,
    index: int,
) -> Iterable[Row]:
    return ask(compose(1, soundfont, index))


def _ask_pianos(soundfont: str, first: int, n: int) -> Iterator[Piece]:
    """One piece: pianos are found one after the other, and take turns with the pedal."""
    yield "", lambda: _each(ask_piano, _compose_pianos(n, soundfont, first))
