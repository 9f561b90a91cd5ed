"""The form of a recording: its sections by novelty, and how well they agree with known ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llark_py.audio import Audio
from llark_py.errors import ToolError
from llark_py.track import Section

from .listening import check_music, check_sounding, hear, listen

MIN_DURATION_S = 20.0
"""Shorter recordings are one section."""
TOLERANCE_S = 3.0
"""Within which a boundary counts as found (Turnbull et al., ISMIR 2007)."""


@dataclass(frozen=True)
class Structure:
    """The course of a recording.

    Attributes:
        sections: Without gaps; letters, or names where they can be told (`intro`, `chorus`).
        entrances, exits: (second, family) in order of time.
    """

    sections: tuple[Section, ...]
    entrances: tuple[tuple[float, str], ...]
    exits: tuple[tuple[float, str], ...]


def measure_structure(audio: Audio) -> Structure:
    """Divide a recording into sections and say when instrument families come and go.

    Args:
        audio: Any rate, mono or stereo, at least 20 s.

    Raises:
        ToolError: Silent, too short, or not music.
    """
    check_sounding(audio, MIN_DURATION_S)
    check_music(listen(audio))
    form = hear(audio).form
    sections = tuple(Section(*section) for section in form.sections)
    return Structure(sections, tuple(form.entrances), tuple(form.exits))


def score_boundaries(
    found: Sequence[Section], truth: Sequence[Section], *, tolerance_s: float = TOLERANCE_S
) -> tuple[float, float, float]:
    """Compare section boundaries by `mir_eval.segment.detection`.

    Beginning and end of the recording are left out, since nobody has to find them.

    Args:
        found: Sections in order, without gaps.
        truth: The true ones.
        tolerance_s: Of a boundary.

    Returns:
        Precision, recall and F measure in [0, 1]; all 1 where both have no boundary.

    Raises:
        ToolError: There are no sections.
    """
    if not found or not truth:
        raise ToolError("there are no sections to compare")
    if len(found) == len(truth) == 1:
        return 1.0, 1.0, 1.0
    if 1 in (len(found), len(truth)):
        return 0.0, 0.0, 0.0
    # Here and not above: mir_eval takes a while to import, and only an evaluation needs it.
    from mir_eval.segment import detection

    spans = [np.array([(s.start_s, s.end_s) for s in part]) for part in (truth, found)]
    spans[1][-1, 1] = spans[0][-1, 1]  # mir_eval compares recordings of one length
    precision, recall, f_measure = detection(*spans, window=tolerance_s, trim=True)
    return float(precision), float(recall), float(f_measure)
