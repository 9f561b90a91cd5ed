"""The tool that takes a recording apart: vocals, drums, bass and the rest, as sounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from llark_py.analysis.stems import STEMS, Separation, take_apart, without
from llark_py.audio import Audio

from ._result import absent, as_confidence, detail
from ._workspace import Workspace


class StemFacts(NamedTuple):
    """A stem, its level beside the whole recording, how far above its errors it is likely to be
    (None: it is silent), and how sure it is that it can be used."""

    stem: str
    level_db: float
    snr_db: float | None
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Stems:
    """The ids of four sounds, or of one stem and of all the rest, and how good they are.

    Of four the loudest is named and those that are silent, of one its level beside the whole
    recording. `confidence` is the probability that a stem stands well above its errors, that of
    four the mean of those that sound.
    """

    vocals: str = absent()
    drums: str = absent()
    bass: str = absent()
    other: str = absent()
    rest: str = absent()
    level_db: float = absent()
    loudest: str = absent()
    silent: str | None = absent()
    confidence: float
    stems: tuple[StemFacts, ...] = detail()


def separate_stems(
    audio: Audio,
    workspace: Workspace,
    stem: Literal["all", "vocals", "drums", "bass", "other"] = "all",
) -> Stems:
    """Separate a recording into vocals, drums, bass and everything else, or take one of them out.

    Args:
        audio: Id of the recording, such as audio_1.
        stem: Which stem to take out of the recording, with what is left without it; all for the
            four of them. (choices: ["all", "vocals", "drums", "bass", "other"])

    Returns:
        The ids of the sounds, which other tools take as audio; for all stems the loudest and those
        that are silent, for one stem its level in dB relative to the whole recording; and a
        confidence from 0 to 1 that the separation can be used.
    """
    found = take_apart(audio, workspace.progress)
    facts = tuple(_facts(found, name) for name in STEMS)
    if stem == "all":
        return Stems(
            **{name: workspace.new_sound(found.sounds[name], f"{name}.wav").id for name in STEMS},
            loudest=max(STEMS, key=lambda name: found.levels_db[name]),
            silent=", ".join(name for name in STEMS if found.is_silent(name)) or None,
            confidence=as_confidence(found.confidence),
            stems=facts,
        )
    return Stems(
        **{stem: workspace.new_sound(found.sounds[stem], f"{stem}.wav").id},
        rest=workspace.new_sound(without(audio, found.sounds[stem]), f"without {stem}.wav").id,
        level_db=round(found.levels_db[stem], 1),
        confidence=as_confidence(found.confidences[stem]),
        stems=facts,
    )


def _facts(found: Separation, stem: str) -> StemFacts:
    return StemFacts(
        stem,
        round(found.levels_db[stem], 1),
        None if found.is_silent(stem) else round(found.snrs_db[stem], 1),
        as_confidence(found.confidences[stem]),
    )
