"""The tool that takes a recording apart: vocals, drums, bass and the rest, as sounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from llark_py.analysis.stems import STEMS, Separation, take_apart
from llark_py.audio import Audio

from ._result import absent, as_confidence, detail
from ._workspace import Workspace


class StemFacts(NamedTuple):
    """A stem, its level beside the whole recording, how far above its errors it is likely to be
    (None: it is silent), and how sure it is that it can be used."""

    stem: str
    level_db: float | None
    snr_db: float | None
    confidence: float


@dataclass(frozen=True)
class AllStems:
    """The ids of the four sounds, the loudest stem, those that are silent, and how good they are.

    `confidence` is the probability that a stem stands well above its errors, on average.
    """

    vocals: str
    drums: str
    bass: str
    other: str
    loudest: str
    silent: str | None
    confidence: float
    stems: tuple[StemFacts, ...] = detail()


@dataclass(frozen=True)
class OneStem:
    """The id of one stem under its name, that of all the rest, the level of the stem in dB
    relative to the whole recording (left out where it is silent), and how good it is."""

    rest: str
    confidence: float
    vocals: str | None = absent()
    drums: str | None = absent()
    bass: str | None = absent()
    other: str | None = absent()
    level_db: float | None = absent()
    stems: tuple[StemFacts, ...] = detail(())


def separate_stems(
    audio: Audio,
    workspace: Workspace,
    stem: Literal["all", "vocals", "drums", "bass", "other"] = "all",
) -> AllStems | OneStem:
    """Separate a recording into vocals, drums, bass and everything else, or take one of them out.

    Args:
        audio: Id of the recording, such as audio_1.
        stem: Which stem to take out of the recording, with what is left without it; all for the
            four of them. (choices: ["all", "vocals", "drums", "bass", "other"])

    Returns:
        The ids of the sounds, which other tools take as audio; for all stems the loudest and the
        silent one, for one stem its level in dB relative to the whole recording; and a
        confidence from 0 to 1 that the separation can be used.
    """
    found = take_apart(audio, workspace.progress)
    facts = tuple(_facts(found, name) for name in STEMS)
    if stem == "all":
        ids = {name: workspace.new_sound(found.sounds[name], f"{name}.wav").id for name in STEMS}
        silent = [name for name in STEMS if found.levels_db[name] is None]
        return AllStems(
            **ids,
            loudest=max(STEMS, key=lambda name: _level(found, name)),
            silent=" and ".join(silent) or None,
            confidence=as_confidence(found.confidence),
            stems=facts,
        )
    rest = found.rest(audio, stem)
    level = found.levels_db[stem]
    return OneStem(
        **{stem: workspace.new_sound(found.sounds[stem], f"{stem}.wav").id},
        rest=workspace.new_sound(rest, f"without {stem}.wav").id,
        level_db=None if level is None else round(level, 1),
        confidence=as_confidence(found.confidences[stem]),
        stems=facts,
    )


def _level(found: Separation, stem: str) -> float:
    level = found.levels_db[stem]
    return float("-inf") if level is None else level


def _facts(found: Separation, stem: str) -> StemFacts:
    level, snr = found.levels_db[stem], found.snrs_db[stem]
    return StemFacts(
        stem,
        None if level is None else round(level, 1),
        None if snr is None else round(snr, 1),
        as_confidence(found.confidences[stem]),
    )
