"""How well sounds are separated: SDR of stems, beside the mixture and classical methods.

`sdr` is the source-to-distortion ratio of BSS Eval (Vincent et al., 2006): what a filter of 512
taps makes of the true source counts as the source. mir_eval's function gives the same number (a
test holds them equal) but is deprecated and takes thirty times as long, because it measures
interference and artefacts too. `si_sdr` (Le Roux et al., ICASSP 2019) allows a gain only, `snr`
(the SDR of the Music Demixing Challenge, Mitsufuji et al., 2022) nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_TAPS = 512
_FLOOR = 1e-10


def separation_scores(truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """Compare a separated sound with the true one.

    Args:
        truth: `(n_samples,)` mono, not silent.
        found: `(n_samples,)`.

    Returns:
        `sdr`, `si_sdr` and `snr` in dB.
    """
    truth, found = truth.astype(np.float64), found.astype(np.float64)
    gain = truth @ found / (truth @ truth)
    return {
        "sdr": round(_ratio_db(_filtered_part(truth, found), found), 2),
        "si_sdr": round(_ratio_db(gain * truth, found), 2),
        "snr": round(_ratio_db(truth, found), 2),
    }


def _filtered_part(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """The filtered source, `(n_samples + 511,)`, that comes nearest to the found sound."""
    from scipy.fft import irfft, next_fast_len, rfft
    from scipy.linalg import solve_toeplitz
    from scipy.signal import fftconvolve

    n = next_fast_len(len(truth) + _TAPS, real=True)
    spectrum = rfft(truth, n)
    auto = irfft(np.abs(spectrum) ** 2, n)[:_TAPS]
    cross = irfft(np.conj(spectrum) * rfft(found, n), n)[:_TAPS]
    auto[0] *= 1 + _FLOOR
    taps = solve_toeplitz(auto, cross)
    part: np.ndarray = fftconvolve(truth, taps)
    return part


def _ratio_db(target: np.ndarray, found: np.ndarray) -> float:
    rest = np.pad(found, (0, len(target) - len(found))) - target
    energy, error = float(target @ target), float(rest @ rest)
    return 10 * float(np.log10((energy + _FLOOR) / (error + _FLOOR)))


def row_of(what: str, truth: np.ndarray, found: np.ndarray) -> dict[str, Any]:
    """Compare, as a row of answers has it; both are cut to the shorter."""
    n = min(len(truth), len(found))
    scores = separation_scores(truth[:n], found[:n])
    return {"fact": "separation", "what": what, "truth": None, "value": scores}
