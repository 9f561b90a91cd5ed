"""What may be asked about a recording, given what the encoder heard of it.

Answers are written from the composer's facts, but the language model has only the encoder's word
for them. Taught to answer against it, it would learn to guess instead of to listen. So where the
encoder is not sure the answer is hedged, and a fact that it is sure to be another is not asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from llark_py.encoders.mini import Heard
from llark_py.encoders.mini_chords import CHORD_NAMES, read_chords
from llark_py.encoders.mini_config import MiniEncoderConfig
from llark_py.encoders.mini_form import Form, Section
from llark_py.encoders.mini_network import N_GLOBAL
from llark_py.encoders.mini_notes import perhaps_there
from llark_py.encoders.mini_periodicity import FRAMES_PER_SECOND
from llark_py.encoders.mini_songs import read_form, to_numpy
from llark_py.instruct.facts import Facts, speed_word
from llark_py.theory import KEYS, parse_key
from llark_py.track import Track

from .course import activity_agreement, boundary_agreement, told_instruments, told_sections
from .labels import chord_class
from .line_up import heard_line_up

SURE = 0.6
"""Probability from which a verdict is told as a fact."""
_PLAINLY_PRESENT = 0.75
_SAME_COURSE = 0.75
_MOOD_MAKERS = {"style", "mode", "speed"}
_VOICES = ("voice", "choir")
_LINE_UP = ("families", "instruments", "lead")


def pick_rows(heard: Heard, rows: list[int]) -> Heard:
    """Take some recordings out of what was heard of several."""
    return replace(
        heard,
        tokens=heard.tokens[rows],
        posteriors={head: p[rows] for head, p in heard.posteriors.items()},
        frame_posteriors={head: p[rows] for head, p in heard.frame_posteriors.items()},
    )


def join_rows(items: Sequence[Heard]) -> Heard:
    """Put what was heard of recordings of one length together."""
    first = items[0]
    return replace(
        first,
        tokens=torch.cat([h.tokens for h in items]),
        posteriors={k: torch.cat([h.posteriors[k] for h in items]) for k in first.posteriors},
        frame_posteriors={
            k: torch.cat([h.frame_posteriors[k] for h in items]) for k in first.frame_posteriors
        },
    )


def cut_heard(
    heard: Heard, form: Form, part_s: tuple[float, float], config: MiniEncoderConfig
) -> tuple[Heard, Form]:
    """Take a part out of what was heard of one recording, as a tool cuts it out.

    What is said of the recording as a whole is kept: a part is mostly of one style with it.

    Args:
        heard: Of one recording.
        form: Its course.
        part_s: Start and end. A part that is not in the recording (dialogues also tell of others)
            gives the recording itself.
        config: Of the encoder.
    """
    n_frames = heard.tokens.shape[1] - N_GLOBAL
    first, last = (round(time_s * FRAMES_PER_SECOND) for time_s in part_s)
    if not first < last <= n_frames:
        return heard, form
    places = torch.tensor([*range(N_GLOBAL), *range(N_GLOBAL + first, N_GLOBAL + last)])
    part = replace(
        heard,
        tokens=heard.tokens[:, places.to(heard.tokens.device)],
        frame_posteriors={k: p[:, first:last] for k, p in heard.frame_posteriors.items()},
    )
    start_s, end_s = part_s
    sections = tuple(
        Section(max(s.start_s, start_s) - start_s, min(s.end_s, end_s) - start_s, s.label)
        for s in form.sections
        if s.start_s < end_s and s.end_s > start_s
    )
    return part, replace(read_form(part, 0, config), sections=sections)


def verdicts(
    posteriors: Mapping[str, Tensor], item: int, track: Track, config: MiniEncoderConfig
) -> dict[str, tuple[str, float]]:
    """Name what the heads hear of a recording, slot by slot, and how surely.

    Args:
        posteriors: `(recordings, classes)` by head.
        item: Which recording.
        track: Its facts; what is slow depends on the metre.
        config: With the names of the classes.

    Returns:
        Slot of the grammar -> likeliest word and its probability in [0, 1].
    """
    named = {
        "style": ("style", config.styles),
        "meter": ("time_signature", config.time_signatures),
        "lead": ("lead", config.labels["lead"]),
        "density": ("density", config.densities),
        "mode": ("key", [parse_key(key)[1] for key in KEYS]),
        "speed": (
            "tempo",
            [speed_word(bpm, track.time_signature) for bpm in config.tempo_bins_bpm],
        ),
        "feel": ("feel", config.labels.get("feel", [])),
    }
    found = {}
    for slot, (head, words) in named.items():
        if head in posteriors:
            total: dict[str, float] = {}
            for word, p in zip(words, posteriors[head][item].tolist(), strict=True):
                total[word] = total.get(word, 0.0) + p
            found[slot] = max(total.items(), key=lambda pair: pair[1])
    return found


def judge(
    track: Track, heard: Heard, item: int, config: MiniEncoderConfig, form: Form
) -> tuple[Track, frozenset[str]]:
    """Compare the facts with what was heard.

    Args:
        track: The facts.
        heard: Of some recordings.
        item: Which of them.
        config: With the names of the classes.
        form: The course of this recording, as it was heard.

    Returns:
        The facts without a style or metre that was surely heard to be another, with the line-up
        (see `line_up`), the times and the sections of the notes (see `course`), and the slots
        whose answers are to be hedged, with the families that may play as well.
    """
    if track.sound != "music":
        return track, frozenset()
    heads = {head: to_numpy(heard.posteriors[head][item]) for head in _LINE_UP}
    instruments, lead = heard_line_up(track, heads, config, form)
    track = track.model_copy(update={"instruments": instruments, "lead": lead})
    facts = Facts(track)
    told = {**facts.words, "lead": track.lead or "none"}
    found = verdicts(heard.posteriors, item, track, config)
    unsure = {slot for slot, (_, p) in found.items() if p < SURE}
    wrong = {slot for slot, (word, _) in found.items() if slot in told and told[slot] != word}
    wrong -= unsure
    if "chord" in heard.frame_posteriors and not _hears_chords(track, heard, item):
        unsure.add("chords")
    if unsure & _MOOD_MAKERS:
        unsure.add("mood")
    families = heard.posteriors["families"][item].tolist()
    unsure.update(perhaps_there(families, config))
    for name, p in zip(config.families, families, strict=True):
        doubtful = p < SURE if name in track.families else p > _PLAINLY_PRESENT
        if doubtful:
            unsure.add("instruments")
        if name in _VOICES and (doubtful or 1 - SURE < p < SURE):
            unsure.add("voice")
    if activity_agreement(track, form) < _SAME_COURSE:
        unsure.add("activity")
    blank = {"style": "genre", "meter": "time_signature"}
    changes: dict[str, Any] = {blank[slot]: None for slot in wrong if slot in blank}
    agreement = boundary_agreement(track, form)
    if agreement < _SAME_COURSE:
        unsure.add("sections")
    changes["sections"] = told_sections(track, form, agreement)
    changes["instruments"] = told_instruments(track, form)
    known = track.model_copy(update=changes)
    return known, frozenset(unsure | wrong - blank.keys())


def _hears_chords(track: Track, heard: Heard, item: int) -> bool:
    """Tell whether the chords that are heard are sure, and all among those of the facts."""
    frames = heard.frame_posteriors
    chords = read_chords(to_numpy(frames["chord"][item]), to_numpy(frames["beat"][item]))
    if chords is None or chords.probability < SURE:
        return False
    played = {chord_class(chord.label)[0] for chord in track.chords}
    return played.issuperset(CHORD_NAMES.index(name) for name in chords.names)


def pad_frames(items: list[Tensor]) -> dict[str, Tensor]:
    """Stack frames `(n, width)` of recordings of different lengths, as a model takes them."""
    lengths = torch.tensor([len(item) for item in items])
    mask = torch.arange(int(lengths.max()))[None] < lengths[:, None]
    features = torch.nn.utils.rnn.pad_sequence(items, batch_first=True)
    return {"input_features": features, "input_features_mask": mask.to(features.device)}
