"""Stems: vocals, drums, bass and everything else, each as a sound of its own; and what is like
an example."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from llark_py.audio import Audio
from llark_py.errors import UnknownNameError

from .demucs_separator import demucs_name, separate_with_demucs
from .excerpt import check_span
from .listening import UNPLAYED_PROBABILITY, Progress, check_sounding, listen, listener_config
from .separation_quality import INAUDIBLE_DB, Quality, Traces, estimate, trace
from .separator import separate_like, separate_stems
from .separator_checkpoint import load_calibration

STEMS = ("vocals", "drums", "bass", "other")
MIN_DURATION_S = 0.5
_HEARD_FROM_S = 2.0
"""What is shorter the encoder hears too unsurely to leave stems out."""
_FAMILIES = {"vocals": ("voice", "choir"), "drums": ("drums",), "bass": ("bass",)}
"""Families of the encoder that play a stem; all others are `other`."""
_HEARD = 0.03
"""A stem whose families are all less likely than this is silent."""


@dataclass(frozen=True, eq=False)
class Separation:
    """A recording taken apart.

    Attributes:
        sounds: Stem -> its sound; together they are the recording.
        levels_db: Stem -> level beside the whole recording, at least -60.
        snrs_db: Stem -> estimated ratio of the stem to its errors.
        confidences: Stem -> probability in [0, 1] that this ratio is 5 dB or better.
    """

    sounds: dict[str, Audio]
    levels_db: dict[str, float]
    snrs_db: dict[str, float]
    confidences: dict[str, float]

    @property
    def confidence(self) -> float:
        """Mean confidence of the stems that are not silent."""
        return float(np.mean([c for s, c in self.confidences.items() if not self.is_silent(s)]))

    def is_silent(self, stem: str) -> bool:
        """Tell whether nothing, or nothing that can be heard, is in a stem."""
        return self.levels_db[stem] <= INAUDIBLE_DB


@dataclass(frozen=True, eq=False)
class Likeness:
    """What sounds like an example: its sound, the rest, the level beside the whole recording (at
    least -60 dB), the estimated ratio to its errors and the probability that it is 5 dB or more."""

    sound: Audio
    rest: Audio
    level_db: float
    snr_db: float
    confidence: float


def _tell_nobody(fraction: float, note: str) -> None:
    pass


def separate(
    audio: Audio, stems: Collection[str] = STEMS, progress: Progress | None = None
) -> dict[str, Audio]:
    """Separate a recording into stems.

    The separator is the embedded one, or Demucs where LLARK_SEPARATOR names one of its models.

    Args:
        audio: Any rate, mono or stereo, at least half a second, not silent.
        stems: Which of `STEMS` to return.
        progress: Called with the fraction done and what is being done; may raise to stop.

    Returns:
        Stem -> its sound, of the same length, rate and channels as `audio`. With the embedded
        separator all four together are the recording; those in which the encoder hears nothing
        are silent.

    Raises:
        UnknownNameError: There is no such stem.
        ToolError: The recording is silent or too short.
        CheckpointError: The separator cannot be loaded.
        MissingExtraError: Demucs is wanted and not installed.
    """
    for stem in stems:
        if stem not in STEMS:
            raise UnknownNameError("stem", stem, STEMS)
    check_sounding(audio, MIN_DURATION_S)
    tell = progress or _tell_nobody
    tell(0.0, "listening")
    demucs = demucs_name()
    if demucs:
        found = separate_with_demucs(audio, demucs, tell)
    else:
        found = separate_stems(audio, sounding_stems(audio), tell)
    nothing = Audio(np.zeros_like(audio.samples), audio.sample_rate)
    return {stem: found.get(stem, nothing) for stem in stems}


def sounding_stems(audio: Audio) -> list[str]:
    """List the stems in which the encoder hears anything: all of them where it hears no music."""
    if audio.duration_s < _HEARD_FROM_S or (heard := listen(audio)).unplayed > UNPLAYED_PROBABILITY:
        return list(STEMS)
    named = {family: stem for stem, families in _FAMILIES.items() for family in families}
    chances = zip(listener_config().labels["families"], heard.heads["families"], strict=True)
    sounding = {named.get(family, "other") for family, chance in chances if chance > _HEARD}
    return [stem for stem in STEMS if stem in sounding] or list(STEMS)


def take_apart(audio: Audio, progress: Progress) -> Separation:
    """Separate a recording into stems, and judge them.

    Args:
        audio: As for `separate`.
        progress: Called with the fraction done and what is being done; may raise to stop.

    Raises:
        As for `separate`.
    """
    sounds = separate(audio, progress=progress)
    traces = dict(zip(STEMS, trace([sounds[stem] for stem in STEMS]), strict=True))
    quality = {stem: _judge(traces[stem], "stems") for stem in STEMS}
    return Separation(
        sounds=sounds,
        levels_db={stem: traces[stem].level_db for stem in STEMS},
        snrs_db={stem: quality[stem].snr_db for stem in STEMS},
        confidences={stem: quality[stem].confidence for stem in STEMS},
    )


def find_like(
    audio: Audio,
    example_audio: Audio,
    start_s: float,
    end_s: float,
    progress: Progress | None = None,
) -> Likeness:
    """Take out of a recording what sounds like an example, by the embedded separator.

    Args:
        audio: As for `separate`.
        example_audio: The recording that the example is in.
        start_s, end_s: Where it is, in seconds.
        progress: Called with the fraction done and what is being done; may raise to stop.

    Raises:
        ToolError: A recording or the example is silent or too short, or the span is not in it.
        CheckpointError: The separator cannot be loaded.
    """
    check_sounding(audio, MIN_DURATION_S)
    end_s = check_span(example_audio, start_s, end_s)
    example = example_audio.slice(start_s, end_s)
    check_sounding(example, MIN_DURATION_S)
    sound = separate_like(audio, example, progress or _tell_nobody)
    rest = without(audio, sound)
    traces = trace([sound, rest])[0]
    return Likeness(sound, rest, traces.level_db, *_judge(traces, "like"))


def without(audio: Audio, part: Audio) -> Audio:
    """Give a recording without a part of it."""
    return Audio(audio.samples - part.samples, audio.sample_rate)


def _judge(traces: Traces, kind: str) -> Quality:
    return estimate(traces, load_calibration()[kind])
