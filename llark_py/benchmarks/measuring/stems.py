"""Separation put to the test: four stems, and one instrument by example, beside other ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from llark_py.analysis.separator import separate_like
from llark_py.analysis.stems import separate
from llark_py.audio import Audio
from llark_py.benchmarks.answers import Row

from .classical import HPSS, REPET_SIM, hpss_stems, repet_sim_stems
from .music import SAMPLE_RATE, Mix, best_example
from .scoring import TOOL
from .separation import row_of

MIXTURE = "mixture"
EXAMPLE_S = 3.0


def ask_mixes(mixes: Iterable[Mix], set_name: str = "mixes") -> Iterator[Row]:
    """Separate mixes whose parts are named as stems.

    Yields:
        Rows of the fact `separation` with `what` (the stem) and `value` (SDR), for the separator,
        the mixture itself, HPSS and REPET-SIM as far as they have that stem.
    """
    for mix in mixes:
        audio = mix.audio
        found = {
            TOOL: {stem: sound.samples for stem, sound in separate(audio).items()},
            MIXTURE: dict.fromkeys(mix.parts, audio.samples),
            HPSS: hpss_stems(audio.samples, audio.sample_rate),
            REPET_SIM: repet_sim_stems(audio.samples, audio.sample_rate),
        }
        yield from _compare(set_name, mix.id, mix.parts, found)


def ask_unseen(cases: Iterable[tuple[Mix, str]]) -> Iterator[Row]:
    """Take an instrument out of a mix by 3 s of it in which it is loudest, alone as an example.

    Yields:
        As `ask_mixes`; `what` is `like`.
    """
    for mix, wanted in cases:
        part = mix.parts[wanted]
        start_s, end_s = best_example(part, EXAMPLE_S)
        example = Audio(part, SAMPLE_RATE).slice(start_s, end_s)
        yield from _ask_like("unseen", mix, wanted, example)


def ask_example(set_name: str, mix: Mix, wanted: str, seconds: float) -> Iterator[Row]:
    """Take a part out of a recording by an example from its beginning, scored behind that."""
    n = round(seconds * SAMPLE_RATE)
    example = Audio(mix.parts[wanted][:n], SAMPLE_RATE)
    rest = Mix(mix.id, {name: samples[n:] for name, samples in mix.parts.items()})
    yield from _ask_like(set_name, rest, wanted, example)


def _ask_like(set_name: str, mix: Mix, wanted: str, example: Audio) -> Iterator[Row]:
    audio = mix.audio
    found = {TOOL: separate_like(audio, example, _tell_nobody).samples, MIXTURE: audio.samples}
    truth = {"like": mix.parts[wanted]}
    yield from _compare(set_name, mix.id, truth, {c: {"like": s} for c, s in found.items()})


def _compare(
    set_name: str,
    mix_id: str,
    truth: Mapping[str, np.ndarray],
    found: Mapping[str, Mapping[str, np.ndarray]],
) -> Iterator[Row]:
    for condition, sounds in found.items():
        for what in sorted(truth.keys() & sounds.keys()):
            row = row_of(what, truth[what], sounds[what])
            yield {"set": set_name, "id": mix_id, "condition": condition, **row}


def _tell_nobody(fraction: float, note: str) -> None:
    pass
