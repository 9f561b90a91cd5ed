"""Who plays in a recording, as the encoder tells it in its notes.

As with times (`course`), a language model that is to answer from its notes must find there what it
is taught to say. Taught the composer's line-up instead, it learned to second-guess the notes, and
named instruments worse than they do. Singers and drums stay the composer's: they are told rightly
nearly always, and more is asked of them than their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from llark_py.analysis.timbre import likely_instruments
from llark_py.encoders.mini_config import MiniEncoderConfig
from llark_py.encoders.mini_form import Form
from llark_py.track import Instrument, Track

_AS_COMPOSED = ("voice", "drums")
_ROLE_OF = {"bass": "bass"}


def heard_line_up(
    track: Track, posteriors: Mapping[str, np.ndarray], config: MiniEncoderConfig, form: Form
) -> tuple[tuple[Instrument, ...], str | None]:
    """Give the instruments of the families that are heard, the surest family first, and the lead.

    Args:
        track: The facts.
        posteriors: Of the heads `families`, `instruments` and `lead`, `(classes,)` each.
        config: With the names of the classes, and from where on they are heard.
        form: When families sound.

    Returns:
        Instruments, at least one; those of the facts where they are heard, under the likeliest name
        where their own is not; and the lead, the one that is heard where the composer's does not
        play any more.
    """
    chance = dict(zip(config.families, posteriors["families"].tolist(), strict=True))
    least = dict(zip(config.families, config.present_from("families").tolist(), strict=True))
    heard = {name for name in chance if chance[name] > least[name]} - {*_AS_COMPOSED}
    if not heard and not {*_AS_COMPOSED} & {*track.families}:
        heard = {max((name for name in chance if name not in _AS_COMPOSED), key=chance.__getitem__)}
    renamed: dict[str, str] = {}
    told = []
    for instrument in track.instruments:
        if instrument.family in heard:
            likely = list(_likely(instrument.family, posteriors["instruments"], config))
            name = instrument.name if instrument.name in likely else likely[0]
            renamed[instrument.name] = name
            told.append(instrument._replace(name=name))
        elif instrument.family in _AS_COMPOSED:
            renamed[instrument.name] = instrument.name
            told.append(instrument)
    for family in sorted(heard - {i.family for i in told}):
        activity = form.spans.get(family) or ((0.0, track.duration_s),)
        name = next(iter(_likely(family, posteriors["instruments"], config)))
        told.append(Instrument(name, family, _ROLE_OF.get(family, ""), tuple(activity)))
    told.sort(key=lambda instrument: -chance.get(instrument.family, 1.0))
    lead = renamed.get(track.lead) if track.lead else None
    if track.lead and lead is None:
        lead = _heard_lead(posteriors["lead"], config.labels["lead"], [i.name for i in told])
    return tuple(told), lead


def _likely(family: str, chances: np.ndarray, config: MiniEncoderConfig) -> Mapping[str, float]:
    names = config.labels["instruments"]
    return likely_instruments(family, names, chances, config.present_from("instruments"))


def _heard_lead(chances: np.ndarray, names: Sequence[str], playing: Sequence[str]) -> str | None:
    """Name the likeliest lead of those who play; None if it is likelier that nobody leads."""
    ranked = [names[i] for i in np.argsort(-chances, kind="stable")]
    found = next((name for name in ranked if name in playing or name == names[-1]), None)
    return found if found in playing else None
