"""When things happen in a recording, as the encoder tells it in its notes.

A language model that is to answer from its notes must find there what it is taught to answer, to
the second. So where the encoder hears the course of a song well enough, its times and the names of
its sections take the place of the composer's; where it does not, they are not asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from llark_py.encoders.mini_form import Form, Span
from llark_py.encoders.mini_notes import noted_sections
from llark_py.track import Instrument, Section, Track

_SAME_FORM = 0.5
_NEAR_S = 3.0


def told_sections(track: Track, form: Form, agreement: float) -> tuple[Section, ...]:
    """Give the sections of the notes, in whole seconds; none where they are mostly wrong.

    Args:
        track: The facts.
        form: The course of the recording, as it was heard.
        agreement: Of the two, as `boundary_agreement` measures it.
    """
    noted = noted_sections(form)
    if not noted and len(track.sections) <= 1:
        return track.sections
    if not noted or agreement < _SAME_FORM:
        return ()
    starts = [float(int(start_s)) for start_s, _ in noted]
    ends = [*starts[1:], track.duration_s]
    labels = [label for _, label in noted]
    return tuple(Section(*each) for each in zip(starts, ends, labels, strict=True))


def told_instruments(track: Track, form: Form) -> tuple[Instrument, ...]:
    """Move what begins or ends within 3 s of where it was heard to the second that is noted.

    Only of instruments that are alone in their family, since families are what is heard.
    """
    families = [instrument.family for instrument in track.instruments]
    return tuple(
        instrument._replace(activity=_moved(instrument.activity, form.spans[instrument.family]))
        if families.count(instrument.family) == 1 and instrument.family in form.spans
        else instrument
        for instrument in track.instruments
    )


def _moved(spans: Sequence[tuple[float, float]], heard: Sequence[Span]) -> tuple[Span, ...]:
    starts, ends = zip(*heard, strict=True)
    moved = [Span(_nearest(start, starts), _nearest(end, ends)) for start, end in spans]
    return tuple(span for span in moved if span.end_s > span.start_s)


def _nearest(time_s: float, heard: Iterable[float]) -> float:
    nearest = min(heard, key=lambda other: abs(other - time_s))
    return float(int(nearest)) if abs(nearest - time_s) <= _NEAR_S else time_s


def boundary_agreement(track: Track, form: Form) -> float:
    """Compare where noted sections begin: F1 of the beginnings, right within 3 s, in [0, 1]."""
    truth = [s.start_s for s in track.sections[1:]]
    found = [start_s for start_s, _ in noted_sections(form) if start_s > 0]
    if not truth or not found:
        return float(not truth and not found)

    def near(times: list[float], others: list[float]) -> int:
        return sum(min(abs(t - o) for o in others) <= _NEAR_S for t in times)

    recall, precision = near(truth, found) / len(truth), near(found, truth) / len(found)
    return 2 * recall * precision / max(1e-9, recall + precision)


def activity_agreement(track: Track, form: Form) -> float:
    """Compare when families sound: share of the time that both are of one mind, in [0, 1].

    Of the families that are heard and do play, the one that agrees least counts.
    """
    times = np.arange(0.5, max(1.0, track.duration_s), 1.0)
    shares = [1.0]
    for family in set(track.families) & form.spans.keys():
        played = [span for i in track.instruments if i.family == family for span in i.activity]
        shares.append(float((_during(times, played) == _during(times, form.spans[family])).mean()))
    return min(shares)


def _during(times: np.ndarray, spans: Iterable[Sequence[float]]) -> np.ndarray:
    inside = np.zeros(len(times), bool)
    for start_s, end_s in spans:
        inside |= (times >= start_s) & (times < end_s)
    return inside
