"""The tool that says whether somebody sings in a recording, and when."""

from __future__ import annotations

from dataclasses import dataclass

from llark_py.analysis.vocals import measure_vocals
from llark_py.audio import Audio
from llark_py.instruct.listing import list_spans

from ._result import as_confidence, detail, round_spans
from ._workspace import Workspace


@dataclass(frozen=True)
class Singing:
    """Whether there is a singer (and how sure that is), when and how long, and the same of a choir.

    `confidence` is that of `singing`, be it true or false, `choir_confidence` that of `choir`.
    """

    singing: bool
    confidence: float
    sung: str | None
    sung_percent: int
    choir: bool
    choir_confidence: float
    first_sung_s: float | None = detail()
    last_sung_s: float | None = detail()
    choir_percent: int = detail()
    sung_spans_s: tuple[tuple[float, float], ...] = detail()
    choir_spans_s: tuple[tuple[float, float], ...] = detail()


def detect_vocals(audio: Audio, workspace: Workspace) -> Singing:
    """Find out whether somebody sings in a recording and when; a choir is told apart.

    Args:
        audio: Id of the recording, such as audio_1.

    Returns:
        Whether there is a singer with a confidence from 0 to 1, when there is singing such as
        '0:05-0:35, 1:02-1:40' (gaps are closed until there are at most four spans), the percentage
        of the recording that is sung, and whether there is a choir, with a confidence.
    """
    workspace.progress(0.0, "listening for voices")
    vocals = measure_vocals(audio)
    sung, choir = round_spans(vocals.singer_spans), round_spans(vocals.choir_spans)
    return Singing(
        singing=bool(sung),
        confidence=_confidence(vocals.singer_probability, bool(sung)),
        sung=list_spans(sung, audio.duration_s),
        sung_percent=_percent(sung, audio.duration_s),
        choir=bool(choir),
        choir_confidence=_confidence(vocals.choir_probability, bool(choir)),
        first_sung_s=sung[0][0] if sung else None,
        last_sung_s=sung[-1][1] if sung else None,
        choir_percent=_percent(choir, audio.duration_s),
        sung_spans_s=sung,
        choir_spans_s=choir,
    )


def _confidence(probability: float, there: bool) -> float:
    """How sure it is that a voice is there, or that it is not."""
    return as_confidence(probability if there else 1.0 - probability)


def _percent(spans_s: tuple[tuple[float, float], ...], duration_s: float) -> int:
    return round(100.0 * sum(end - start for start, end in spans_s) / duration_s)
