"""Separation put to the test: four stems, and one instrument by example, beside other ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from llark_py.analysis.stems import find_like, take_apart
from llark_py.audio import Audio
from llark_py.benchmarks.answers import Row

from .classical import HPSS, REPET_SIM, hpss_stems, repet_sim_stems
from .music import SAMPLE_RATE, Mix, best_example
from .scoring import TOOL
from .separation import row_of

MIXTURE = "mixture"
EXAMPLE_S = 3.0


def ask_mixes(mixes: Iterable[Mix], set_name: str = "mixes") -> Iterator[Row]:
    """Separate mixes; those of their parts that are stems are compared.

    Yields:
        Rows of the fact `separation` with `what` (the stem) and `value` (SDR), for the separator,
        the mixture itself, HPSS and REPET-SIM as far as they have that stem.
    """
    for mix in mixes:
        audio = mix.audio
        separated = take_apart(audio, _tell_nobody)
        found = {
            TOOL: {stem: sound.samples for stem, sound in separated.sounds.items()},
            MIXTURE: dict.fromkeys(separated.sounds, audio.samples),
            HPSS: hpss_stems(audio.samples, audio.sample_rate),
            REPET_SIM: repet_sim_stems(audio.samples, audio.sample_rate),
        }
        yield from _compare(set_name, mix.id, mix.parts, found, separated.confidences)


def ask_unseen(cases: Iterable[tuple[Mix, str]]) -> Iterator[Row]:
    """Take an instrument out of a mix by 3 s of it in which it is loudest, alone as an example.

    Yields:
        As `ask_mixes`; `what` is `like`.
    """
    for mix, wanted in cases:
        part = mix.parts[wanted]
        alone, span = Audio(part, SAMPLE_RATE), best_example(part, EXAMPLE_S)
        yield from _ask_like("unseen", mix, wanted, alone, span)


def ask_example(set_name: str, mix: Mix, wanted: str, seconds: float) -> Iterator[Row]:
    """Take a part out of a recording by an example from its beginning, scored behind that."""
    n = round(seconds * SAMPLE_RATE)
    alone = Audio(mix.parts[wanted], SAMPLE_RATE)
    behind = Mix(mix.id, {name: samples[n:] for name, samples in mix.parts.items()})
    yield from _ask_like(set_name, behind, wanted, alone, (0.0, seconds))


def _ask_like(
    set_name: str, mix: Mix, wanted: str, alone: Audio, span: tuple[float, float]
) -> Iterator[Row]:
    audio = mix.audio
    found = find_like(audio, alone, *span)
    sounds = {TOOL: {"like": found.sound.samples}, MIXTURE: {"like": audio.samples}}
    truth = {"like": mix.parts[wanted]}
    yield from _compare(set_name, mix.id, truth, sounds, {"like": found.confidence})


def _tell_nobody(fraction: float, note: str) -> None:
    pass


def _compare(
    set_name: str,
    mix_id: str,
    truth: Mapping[str, np.ndarray],
    found: Mapping[str, Mapping[str, np.ndarray]],
    confidences: Mapping[str, float],
) -> Iterator[Row]:
    for condition, sounds in found.items():
        for what in sorted(truth.keys() & sounds.keys()):
            row: Row = {"set": set_name, "id": mix_id, "condition": condition}
            if condition == TOOL:
                row["confidence"] = confidences[what]
            yield {**row, **row_of(what, truth[what], sounds[what])}
