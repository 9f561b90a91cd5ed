"""Does it listen? Facts about freshly composed clips of a soundfont it never trained on.

Every fact is asked with the clip itself, and again with noise, silence and another clip's sound in
its place: what a model still gets right then, it does not get from listening. Tempo and key come
from the tools, everything else from the model's own answers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from llark_py.assistant.ears import ears_of
from llark_py.audio import Audio
from llark_py.compose.clip import make_clip
from llark_py.compose.instruments import FAMILIES
from llark_py.instruct.facts import FAMILY_WORDS
from llark_py.theory import parse_key
from llark_py.tools import Workspace, run_tool
from llark_py.track import Track

from .asking import answer_by_ear, encode_recordings
from .parsing import parse_families, parse_style, parse_time_signature, parse_yes_no
from .trial import CLIP_S, Trial

FIRST_SEED = 900_000_000
"""Evaluation clips are composed from seeds far from those of training and of the watched set."""
CONDITIONS = ("audio", "noise", "silence", "other clip")
TEMPO_TOLERANCE = 0.04
_OCTAVES = (1, 2, 3, 1 / 2, 1 / 3)
_QUESTIONS = {
    "style": "What genre is this?",
    "instruments": "Which instruments can you hear?",
    "time_signature": "What is the time signature?",
}
_YES_NO = "Is there any {family} in this recording?"


@dataclass(frozen=True)
class Clip:
    """A clip and what is true of it."""

    track: Track
    audio: Audio


def compose_clips(
    n: int,
    soundfont: str,
    seconds: float = CLIP_S,
    free_instruments: bool = False,
    skip: int = 0,
) -> list[Clip]:
    """Compose `n` clips of music that nobody has heard.

    Args:
        n: How many.
        soundfont: What they are played with.
        seconds: Length of each.
        free_instruments: Draw the instruments whatever the style, so that the style gives no hint
            of them (and is not asked for); else each style has its own instruments.
        skip: Leave out so many first: clips that no choice was made on.
    """
    return [
        Clip(*make_clip(seed, seconds, soundfont=soundfont, free_instruments=free_instruments))
        for seed in range(FIRST_SEED + skip, FIRST_SEED + skip + n)
    ]


def sound_of(clips: Sequence[Clip], index: int, condition: str) -> Audio:
    """The sound that a question about a clip is asked with under a condition."""
    audio = clips[index].audio
    if condition == "noise":
        rng = np.random.default_rng(index)
        return Audio(rng.normal(0, 0.1, audio.n_samples).astype(np.float32), audio.sample_rate)
    if condition == "silence":
        return Audio(np.zeros(audio.n_samples, np.float32), audio.sample_rate)
    return clips[(index + 1) % len(clips)].audio if condition == "other clip" else audio


def yes_no_family(track: Track, index: int) -> tuple[str, bool]:
    """Draw a family to ask for: present in every other clip, each family about as often."""
    rng = random.Random(f"yes/no {index}")
    present = index % 2 == 0
    choice = [f for f in FAMILIES if (f in track.families) == present]
    return (rng.choice(choice), present) if choice else (track.families[0], True)


def ask(
    model: Any, processor: Any, clips: Sequence[Clip], conditions: Sequence[str] = CONDITIONS
) -> Iterator[dict[str, Any]]:
    """Put every question under every condition.

    Yields:
        `{"id", "condition", "fact", "answer", "truth"}`; the answer is the model's text, or for
        tempo and key the tool's value (None when the tool declined).
    """
    rate = model.config.audio_config.sample_rate
    for condition in conditions:
        sounds = [sound_of(clips, i, condition).resample(rate) for i in range(len(clips))]
        frames = encode_recordings(model, [s.samples for s in sounds])
        asked = {fact: [text] * len(clips) for fact, text in _QUESTIONS.items()}
        families = [yes_no_family(c.track, i) for i, c in enumerate(clips)]
        asked["yes_no"] = [
            _YES_NO.format(family=FAMILY_WORDS.get(family, family)) for family, _ in families
        ]
        for fact, questions in asked.items():
            answers = answer_by_ear(model, processor, frames, questions)
            for i, (clip, answer) in enumerate(zip(clips, answers, strict=True)):
                truth = _truth(clip.track, fact)
                if fact == "yes_no":
                    truth = {"family": families[i][0], "present": families[i][1]}
                yield {
                    "id": clip.track.id,
                    "condition": condition,
                    "fact": fact,
                    "answer": answer,
                    "truth": truth,
                }
        for fact, tool, field in (
            ("tempo", "estimate_tempo", "tempo_bpm"),
            ("key", "estimate_key", "key"),
        ):
            for clip, sound in zip(clips, sounds, strict=True):
                result = run_tool(tool, {}, {"audio_1": sound}, Workspace())
                yield {
                    "id": clip.track.id,
                    "condition": condition,
                    "fact": fact,
                    "answer": result.content.get(field),
                    "truth": _truth(clip.track, fact),
                }


def _truth(track: Track, fact: str) -> Any:
    return {
        "style": track.genre,
        "instruments": sorted(track.families),
        "time_signature": track.time_signature,
        "tempo": track.tempo_bpm,
        "key": track.key,
    }.get(fact)


def score(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Score the answers of one condition.

    Returns:
        `tempo_acc1` (within 4 %), `tempo_acc2` (also at 2, 3, 1/2, 1/3 of it), `key` (exact),
        `key_mirex` (mir_eval's weighted score), `mode`, `time_signature`, `style`,
        `family_f1` (micro), `family_macro_f1`, `yes_no` (balanced accuracy), `unparsed` (share of
        spoken answers that could not be read).
    """
    import mir_eval

    by_fact: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["truth"] is not None:
            by_fact.setdefault(row["fact"], []).append(row)
    scores: dict[str, float] = {}
    ratios = np.array([(r["answer"] or 0.0) / r["truth"] for r in by_fact["tempo"]])
    scores["tempo_acc1"] = float((np.abs(ratios - 1) < TEMPO_TOLERANCE).mean())
    near = np.abs(ratios[:, None] / np.array(_OCTAVES) - 1) < TEMPO_TOLERANCE
    scores["tempo_acc2"] = float(near.any(1).mean())
    keys = [(r["answer"], r["truth"]) for r in by_fact["key"]]
    scores["key"] = _mean([a is not None and parse_key(a) == parse_key(t) for a, t in keys])
    scores["key_mirex"] = _mean([mir_eval.key.weighted_score(t, a) if a else 0.0 for a, t in keys])
    scores["mode"] = _mean([a is not None and parse_key(a)[1] == parse_key(t)[1] for a, t in keys])
    read = {"style": parse_style, "time_signature": parse_time_signature}
    unparsed = []
    for fact, parse in read.items():
        parsed = [(parse(r["answer"]), r["truth"]) for r in by_fact.get(fact, [])]
        if not parsed:  # the style of free instruments
            continue
        scores[fact] = _mean([said == truth for said, truth in parsed])
        unparsed += [said is None for said, _ in parsed]
    scores |= _score_families(by_fact["instruments"])
    said_yes = [(parse_yes_no(r["answer"]), r["truth"]["present"]) for r in by_fact["yes_no"]]
    unparsed += [said is None for said, _ in said_yes]
    sides = [[said is truth for said, truth in said_yes if truth is side] for side in (True, False)]
    scores["yes_no"] = _mean([_mean(side) for side in sides if side])
    scores["unparsed"] = _mean(unparsed)
    return {name: round(value, 3) for name, value in scores.items()}


def _score_families(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    counts = {family: [0, 0, 0] for family in FAMILIES}
    for row in rows:
        said, true = parse_families(row["answer"]), set(row["truth"])
        for family, (hit, extra, missed) in counts.items():
            counts[family] = [
                hit + (family in said & true),
                extra + (family in said - true),
                missed + (family in true - said),
            ]
    f1 = {f: 2 * h / (2 * h + e + m) if h + e + m else 0.0 for f, (h, e, m) in counts.items()}
    hit, extra, missed = (sum(c[k] for c in counts.values()) for k in range(3))
    return {
        "family_f1": 2 * hit / (2 * hit + extra + missed) if hit else 0.0,
        "family_macro_f1": _mean(list(f1.values())),
        **{f"f1 {family}": value for family, value in f1.items()},
    }


def constant_scores(clips: Sequence[Clip]) -> dict[str, float]:
    """Score the best constant answers: what one gets without listening at all."""

    def commonest(values: list[Any]) -> Any:
        return max(set(values), key=values.count)

    truths = {
        fact: [_truth(c.track, fact) for c in clips] for fact in ("tempo", "key", *_QUESTIONS)
    }
    bpm = max(
        np.arange(50, 180, 1.0),
        key=lambda b: sum(abs(b / t - 1) < TEMPO_TOLERANCE for t in truths["tempo"]),
    )
    usual = [f for f in FAMILIES if sum(f in t for t in truths["instruments"]) * 2 > len(clips)]
    said: dict[str, Any] = {
        "tempo": float(bpm),
        "key": commonest(truths["key"]),
        "style": commonest([s for s in truths["style"] if s] or [""]),
        "time_signature": commonest(truths["time_signature"]),
        "instruments": ", ".join(
            usual or [commonest([f for t in truths["instruments"] for f in t])]
        ),
    }
    rows = [
        {"fact": fact, "answer": said[fact], "truth": truth}
        for fact, values in truths.items()
        for truth in values
    ]
    rows += [
        {"fact": "yes_no", "answer": "Yes", "truth": {"present": yes_no_family(c.track, i)[1]}}
        for i, c in enumerate(clips)
    ]
    return score(rows)


def score_rows(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Score each condition of a run apart."""
    conditions = dict.fromkeys(row["condition"] for row in rows)
    return {c: score([r for r in rows if r["condition"] == c]) for c in conditions}


def evaluate_model(model: Any, processor: Any, trial: Trial) -> dict[str, dict[str, float]]:
    """Ask, keep the answers, score them.

    Args:
        model: A `LlarkForConditionalGeneration` in evaluation mode.
        processor: Its processor.
        trial: What is asked about.

    Returns:
        Scores by condition, and those of the best constant answers.
    """
    clips = compose_clips(
        trial.n, trial.soundfont, trial.seconds, trial.free_instruments, trial.skip
    )
    with ears_of(model):
        rows = list(ask(model, processor, clips))
    trial.keep(rows)
    return {**score_rows(rows), "constant": constant_scores(clips)}


def _mean(values: Sequence[float | bool]) -> float:
    return float(np.mean(values)) if len(values) else 0.0
