"""Fits what the quality of a separation is estimated with, on clips whose stems are known."""

from __future__ import annotations

import sys

import numpy as np

from llark_py.analysis.separation_quality import GOOD_SNR_DB, INAUDIBLE_DB, trace
from llark_py.analysis.separator import separate_like, separate_stems
from llark_py.analysis.separator_network import SAMPLE_RATE, STEMS, SeparatorNetwork
from llark_py.audio import Audio

from .stem_clips import StemClips, stem_of

_EXAMPLE_S = 3.0
_LEAST = 8
_TINY = 1e-9
Row = tuple[float, float, float]
"""Of a source: what it has alone and its level (see `Traces`), and its true SNR, all in dB."""


def snr_db(true: np.ndarray, estimated: np.ndarray) -> float:
    """Ratio of a source to the error of its estimate, in dB, any shape."""
    error = np.square(true - estimated, dtype=np.float64).sum()
    return float(10 * np.log10((np.square(true, dtype=np.float64).sum() + _TINY) / (error + _TINY)))


def separate_clip(
    network: SeparatorNetwork, stems: dict[str, np.ndarray], rng: np.random.Generator
) -> tuple[list[Row], list[Row]]:
    """Separate one clip, and search it for one of its instruments.

    Args:
        network: Ready to be asked.
        stems: Instrument -> `(n_samples,)`.
        rng: Chooses the instrument.

    Returns:
        Rows of the stems that are audible in the separation, and of the instrument.
    """

    def tell(fraction: float, note: str) -> None:
        pass

    mixture = Audio(np.sum(list(stems.values()), axis=0), SAMPLE_RATE)
    true = {stem: np.zeros(mixture.n_samples, np.float32) for stem in STEMS}
    for name, samples in stems.items():
        true[stem_of(name)] += samples
    found = separate_stems(mixture, STEMS, tell, network)
    rows = [
        (traces.alone_db, traces.level_db, snr_db(true[stem], found[stem].samples))
        for stem, traces in zip(STEMS, trace(list(found.values())), strict=True)
        if traces.level_db > INAUDIBLE_DB
    ]
    name = sorted(stems)[int(rng.integers(len(stems)))]
    n = round(_EXAMPLE_S * SAMPLE_RATE)
    start = int(rng.integers(mixture.n_samples - n))
    example = Audio(stems[name][start : start + n], SAMPLE_RATE)
    if np.abs(example.samples).max() < _TINY or len(stems) == 1:
        return rows, []
    like = separate_like(mixture, example, tell, network)
    rest = Audio(mixture.samples - like.samples, SAMPLE_RATE)
    traces = trace([like, rest])[0]
    if traces.level_db <= INAUDIBLE_DB:
        return rows, []
    return rows, [(traces.alone_db, traces.level_db, snr_db(stems[name], like.samples))]


def fit_coefficients(rows: list[Row]) -> list[float]:
    """Fit the six coefficients of `separation_quality.estimate`: least squares, then logistic."""
    from sklearn.linear_model import LogisticRegression

    table = np.array(rows)
    seen = np.column_stack([table[:, :2], np.ones(len(table))])
    linear = np.linalg.lstsq(seen, table[:, 2], rcond=None)[0]
    good = table[:, 2] >= GOOD_SNR_DB
    if not _LEAST <= good.sum() <= len(good) - _LEAST:
        # Hardly ever, or nearly always good: the share is all that can be learned.
        share = (good.sum() + 1) / (len(good) + 2)
        return [*linear.tolist(), 0.0, 0.0, float(np.log(share / (1 - share)))]
    model = LogisticRegression().fit(table[:, :2], good)
    return [*linear.tolist(), *model.coef_[0].tolist(), float(model.intercept_[0])]


def calibrate(network: SeparatorNetwork, watched: StemClips) -> dict[str, list[float]]:
    """Separate clips and fit the coefficients of `stems` and `like`; tells on stderr how good."""
    rng = np.random.default_rng(0)
    rows: dict[str, list[Row]] = {"stems": [], "like": []}
    for clip in range(len(watched)):
        n = watched.n_samples(clip)
        parts = {name: watched.read(clip, name, 0, n) for name in watched.peaks[clip]}
        for kind, found in zip(rows, separate_clip(network, parts, rng), strict=True):
            rows[kind] += found
    for kind, found in rows.items():
        median = np.median([row[2] for row in found])
        print(f"{kind}: {len(found)} sources, median SNR {median:.1f} dB", file=sys.stderr)
    return {kind: fit_coefficients(found) for kind, found in rows.items()}
