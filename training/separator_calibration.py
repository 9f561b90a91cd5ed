"""Fits what the quality of a separation is estimated with, on clips whose stems are known."""

from __future__ import annotations

import sys

import numpy as np

from llark_py.analysis.separation_quality import GOOD_SNR_DB, INAUDIBLE_DB, trace
from llark_py.analysis.separator import separate_like, separate_stems
from llark_py.analysis.separator_network import SAMPLE_RATE, STEMS, SeparatorNetwork
from llark_py.audio import Audio

from .stem_clips import StemClips, stem_of

LIKE = "like"
_EXAMPLE_S = 3.0
_LEAST = 8
_WORST_DB = -20.0
"""What is found of a source that is not there has no better or worse."""
_TINY = 1e-9
Row = tuple[float, float, float]
"""Of a source: what it has alone and its level (see `Traces`), and its true SNR, all in dB."""


def snr_db(true: np.ndarray, estimated: np.ndarray) -> float:
    """Ratio of a source to the error of its estimate, in dB, any shape."""
    error = np.square(true - estimated, dtype=np.float64).sum()
    return float(10 * np.log10((np.square(true, dtype=np.float64).sum() + _TINY) / (error + _TINY)))


def separate_clip(
    network: SeparatorNetwork, stems: dict[str, np.ndarray], rng: np.random.Generator
) -> dict[str, Row]:
    """Separate one clip, and search it for one of its instruments.

    Args:
        network: Ready to be asked.
        stems: Instrument -> `(n_samples,)`.
        rng: Chooses the instrument.

    Returns:
        Stem, or `like` for the instrument -> its row, where it is audible in the separation.
    """

    def tell(fraction: float, note: str) -> None:
        pass

    mixture = Audio(np.sum(list(stems.values()), axis=0), SAMPLE_RATE)
    true = {stem: np.zeros(mixture.n_samples, np.float32) for stem in STEMS}
    for name, samples in stems.items():
        true[stem_of(name)] += samples
    found = separate_stems(mixture, STEMS, tell, network)
    traces = dict(zip(STEMS, trace(list(found.values())), strict=True))
    name = sorted(stems)[int(rng.integers(len(stems)))]
    n = round(_EXAMPLE_S * SAMPLE_RATE)
    start = int(rng.integers(mixture.n_samples - n))
    example = Audio(stems[name][start : start + n], SAMPLE_RATE)
    if np.abs(example.samples).max() > _TINY and len(stems) > 1:
        true[LIKE] = stems[name]
        found[LIKE] = separate_like(mixture, example, tell, network)
        rest = Audio(mixture.samples - found[LIKE].samples, SAMPLE_RATE)
        traces[LIKE] = trace([found[LIKE], rest])[0]
    return {
        what: (seen.alone_db, seen.level_db, snr_db(true[what], found[what].samples))
        for what, seen in traces.items()
        if seen.level_db > INAUDIBLE_DB
    }


def fit_coefficients(rows: list[Row]) -> list[float]:
    """Fit the six coefficients of `separation_quality.estimate`: least squares, then logistic."""
    from sklearn.linear_model import LogisticRegression

    if not rows:  # as likely good as not
        return [0.0] * 6
    table = np.array(rows)
    seen = np.column_stack([table[:, :2], np.ones(len(table))])
    linear = np.linalg.lstsq(seen, np.maximum(table[:, 2], _WORST_DB), rcond=None)[0]
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
    rows: dict[str, list[Row]] = {what: [] for what in (*STEMS, LIKE)}
    for clip in range(len(watched)):
        n = watched.n_samples(clip)
        parts = {name: watched.read(clip, name, 0, n) for name in watched.peaks[clip]}
        for what, row in separate_clip(network, parts, rng).items():
            rows[what].append(row)
    for what, found in rows.items():
        there = [snr for _, _, snr in found if snr > _WORST_DB]
        if there:
            median = np.median(there)
            print(f"{what}: {len(there)} times, median SNR {median:.1f} dB", file=sys.stderr)
    stems = [row for stem in STEMS for row in rows[stem]]
    return {"stems": fit_coefficients(stems), LIKE: fit_coefficients(rows[LIKE])}
