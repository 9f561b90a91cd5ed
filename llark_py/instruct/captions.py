"""Descriptions in three lengths, tags and catalogue entries: what is sure first, guesses last."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .facts import FAMILY_WORDS, join_words
from .listening import extra_words
from .phrases import Template, grammar, pick, sentence, slots_of
from .scene import Asker, Scene, Turn, heard, unheard

LENGTHS = ("short", "medium", "long")
_MAX_NAMED = 6
_MIN_FACTS = 3
_DETAIL_NEEDS = {"meter": "meter_count", "drums": "drums_phrase", "form": "form"}
_FACT_OF = {"drums_phrase": "instruments", "meter_count": "meter", "ensemble": "instruments"}
_FACT_OF |= {"players_named": "instruments", "form": "sections"}
"""Which fact a derived slot tells of."""
_GUESSED = ("style", "mood", "meter", "mode", "speed", "density", "feel", "lead")
_TAGS = ("style", "mood", "speed", "meter", "feel", "amplified")
_MAX_TAGGED = 4


def _caption_words(scene: Scene) -> dict[str, str]:
    """Return the slots that a caption may fill: all facts, and phrases made of them."""
    assert scene.facts is not None
    values = scene.words | extra_words(scene)
    if len(scene.facts.instruments) > _MAX_NAMED:
        families = [FAMILY_WORDS.get(f, f) for f in scene.facts.families]
        values["instruments"] = join_words(families)
    timeline = scene.timeline
    if timeline is not None and timeline.has_form:
        labels = list(dict.fromkeys(s.label for s in timeline.sections))
        values["form"] = join_words(labels)
    return values


def _sure(scene: Scene, values: dict[str, str]) -> dict[str, str]:
    unsure = scene.unsure
    return {s: w for s, w in values.items() if s not in unsure and _FACT_OF.get(s) not in unsure}


def _fitting(phrasings: Iterable[Template], known: Collection[str]) -> list[Template]:
    """List the phrasings that tell most of what is known, and nothing else."""
    facts = {*grammar()["caption"]["slots"]}
    told = [(slots_of(p) & facts, p) for p in phrasings]
    told = [(slots, p) for slots, p in told if slots <= set(known)]
    most = max((len(slots) for slots, _ in told), default=0)
    return [p for slots, p in told if len(slots) >= most - 1]


def _say_fitting(scene: Scene, case: str, known: dict[str, str], **values: str) -> str | None:
    fitting = _fitting(grammar()["caption"][case], known)
    return scene.fill(pick(fitting, scene.rng), **known, **values) if fitting else None


def _guesses(scene: Scene, values: dict[str, str], most: int) -> str | None:
    """Say what is not sure, as such; None when all is sure."""
    names = [s for s in _GUESSED if s in scene.unsure and s in values]
    if "instruments" in scene.unsure and "instruments" in values:
        names.append("instruments")
    names = names[:most]
    if not names:
        return None
    parts = [scene.say("caption", f"guess_{name}", **values) for name in names]
    return scene.answer("caption", "guesses", guess=join_words(parts))


def caption(scene: Scene, length: str) -> str | None:
    """Describe the music in one, two or about five sentences; None when too little is known."""
    values = _caption_words(scene)
    if len(set(values) & {*_GUESSED, "instruments"}) < _MIN_FACTS:
        return None
    sure = _sure(scene, values)
    if length == "short":
        said = _say_fitting(scene, "short", sure)
        guess = _guesses(scene, values, 1)
        return " ".join(sentence(s) for s in (said, guess) if s) or None
    opening = _say_fitting(scene, "opening", sure)
    sentences = [sentence(opening)] if opening else []
    if "instruments" in sure:
        sentences.append(scene.answer("caption", "players", **values))
    told = " ".join(sentences)
    details = [
        name
        for name in grammar()["caption"]["details"]
        if _DETAIL_NEEDS.get(name, name) in sure and sure.get(name, " ") not in told
    ]
    scene.rng.shuffle(details)
    extra = int(scene.rng.random() * 2) if length == "medium" else 2 + int(scene.rng.random() * 3)
    sentences += [sentence(scene.detail(name, **values)) for name in details[:extra]]
    guess = _guesses(scene, values, 2 if length == "medium" else 4)
    return " ".join([*sentences, *([guess] if guess else [])]) or None


def _ask_caption(length: str) -> Asker:
    family = f"caption_{length}"

    def ask(scene: Scene) -> Turn | None:
        if not scene.is_music:
            return unheard(scene, family)
        text = caption(scene, length)
        if text is None:
            return None
        scene.last = "ear"
        return Turn(scene.ask(family), lambda: text)

    return ask


def _ask_tags(scene: Scene) -> Turn | None:
    """Ask for key words: style first, then the instruments."""
    if not scene.is_music:
        return unheard(scene, "tags")
    values = _sure(scene, scene.words)
    tags = [values[slot] for slot in _TAGS if slot in values]
    if "instruments" not in scene.unsure and scene.facts:
        tags += scene.facts.instruments[:_MAX_TAGGED]
    if len(tags) < _MIN_FACTS:
        return None
    return heard(scene, "tags", (), tags=", ".join(tags))


def _ask_catalogue(scene: Scene) -> Turn | None:
    """Ask for an entry with named fields; a field that is not sure carries a question mark."""
    if not scene.is_music:
        return unheard(scene, "catalogue")
    fields = []
    for slot, names in grammar()["catalogue"]["fields"].items():
        if slot in scene.words:
            doubt = " (?)" if slot in scene.unsure else ""
            fields.append(f"{pick(names, scene.rng)}: {scene.words[slot]}{doubt}")
    if len(fields) < _MIN_FACTS:
        return None
    return heard(scene, "catalogue", (), entry="; ".join(fields))


def _ask_certain(scene: Scene) -> Turn | None:
    """Ask what is certain and what is a guess."""
    if not scene.is_music:
        return unheard(scene, "certain")
    names = grammar()["certain"]["names"]
    known = [slot for slot in names if slot in scene.words]
    sure = [names[s][0] for s in known if s not in scene.unsure]
    guessed = [names[s][0] for s in known if s in scene.unsure]
    if not sure and not guessed:
        return None
    case = "all" if not guessed else "nothing" if not sure else "answers"
    lists = {"sure": join_words(sure) if sure else "", "guessed": join_words(guessed or [""])}
    return heard(scene, "certain", (), case, **lists)


FAMILIES: dict[str, tuple[float, Asker]] = {
    **{f"caption_{length}": (3.0, _ask_caption(length)) for length in LENGTHS},
    "tags": (1.5, _ask_tags),
    "catalogue": (1.0, _ask_catalogue),
    "certain": (1.0, _ask_certain),
}
