"""What the heads of the encoder say of a recording, as answers to the questions of the benchmark.

Set beside the answers in words they show what the language loses of what the ear knows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from llark_py.analysis.listening import hear, listen
from llark_py.analysis.rhythm import read_tempo
from llark_py.audio import Audio
from llark_py.encoders.mini_config import MiniEncoderConfig
from llark_py.theory import KEYS

from .clips import VOICE

_LIKELIER = 0.5
_EXCLUSIVE = ("time_signature", "style")


class HeadAnswer(NamedTuple):
    """An answer and how sure it is.

    `confidence` is the probability of the answer; of `vocals` and `not_music`, that it is so;
    `probabilities` those of several things that may all be there.
    """

    value: Any
    confidence: float | None = None
    probabilities: dict[str, float] | None = None


def head_answers(sound: Audio, config: MiniEncoderConfig) -> dict[str, HeadAnswer]:
    """Answer by fact what the heads can: tempo, key, metre, style, families, voice, no music.

    Args:
        sound: The recording.
        config: Of the encoder that listens: its class names, and from which probability on each
            of several is said to be there.
    """
    labels = config.labels
    posteriors = listen(sound)
    tempo, _, sure = read_tempo(posteriors)
    best = int(posteriors.key.argmax())
    answers = {
        "tempo": HeadAnswer(tempo, sure),
        "key": HeadAnswer(KEYS[best], float(posteriors.key[best])),
        "not_music": HeadAnswer(posteriors.not_music > _LIKELIER, posteriors.not_music),
    }
    for head in _EXCLUSIVE:
        p = np.asarray(posteriors.heads[head], float)
        answers[head] = HeadAnswer(labels[head][int(p.argmax())], float(p.max()))
    families = dict(zip(labels["families"], map(float, posteriors.heads["families"]), strict=True))
    present_from = config.present_from("families")
    answers["instruments"] = HeadAnswer(
        sorted(
            f for (f, p), least in zip(families.items(), present_from, strict=True) if p > least
        ),
        probabilities={f: round(p, 4) for f, p in families.items()},
    )
    if VOICE in families:
        answers["vocals"] = HeadAnswer(families[VOICE] > _LIKELIER, families[VOICE])
    return answers


class HeardForm(NamedTuple):
    """How a song is built: where its sections meet, and when each family first sounds, in s."""

    boundaries_s: list[float]
    entrances_s: dict[str, float]


def heard_form(sound: Audio) -> HeardForm:
    """Divide a song into sections and find who comes in when, with the encoder that listens."""
    form = hear(sound).form
    return HeardForm(
        [round(float(section.start_s), 3) for section in form.sections if section.start_s > 0],
        {family: round(float(spans[0].start_s), 3) for family, spans in form.spans.items()},
    )
