"""Whether somebody sings, and when; a choir is told from a singer.

No head of the encoder tells how high a voice lies, so nothing is said of its register.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llark_py.audio import Audio
from llark_py.errors import ToolError

from .timbre import measure_timbre

if TYPE_CHECKING:
    from llark_py.encoders.mini_form import Span

SINGER, CHOIR = "voice", "choir"
"""The families of the encoder for one who sings words, and for choirs and sung vowels."""


@dataclass(frozen=True)
class Vocals:
    """Who sings in a recording.

    Attributes:
        singer_probability: That a singer is heard, in [0, 1].
        choir_probability: That a choir is heard, in [0, 1].
        singer_spans: When the singer sings; empty if there is none.
        choir_spans: When the choir sings; empty if there is none.
    """

    singer_probability: float
    choir_probability: float
    singer_spans: tuple[Span, ...]
    choir_spans: tuple[Span, ...]


def measure_vocals(audio: Audio) -> Vocals:
    """Find out whether and when somebody sings in a recording.

    Talking is not taken for singing: on speech the encoder's family `voice` stays near 0.

    Args:
        audio: Any rate, mono or stereo, at least 1 s.

    Raises:
        ToolError: Silent, too short, or not music; or the encoder was not taught voices.
    """
    timbre = measure_timbre(audio)
    if missing := {SINGER, CHOIR} - set(timbre.probabilities):
        raise ToolError(
            f"the encoder that listens knows no {missing.pop()}; use one that does, such as 'mini'"
        )
    spans = {p.family: p.spans for p in timbre.players}
    return Vocals(
        singer_probability=timbre.probabilities[SINGER],
        choir_probability=timbre.probabilities[CHOIR],
        singer_spans=spans.get(SINGER, ()),
        choir_spans=spans.get(CHOIR, ()),
    )
