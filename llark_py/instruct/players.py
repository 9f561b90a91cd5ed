"""Turns about who plays and sings when, which tools answer."""

from __future__ import annotations

from llark_py.compose.instruments import FAMILIES as ALL_FAMILIES
from llark_py.compose.instruments import INSTRUMENTS, family_of

from .checks import is_plural, named
from .facts import join_words
from .listing import END
from .phrases import pick
from .scene import Asker, Call, Scene, Turn, case_of, words_of
from .simulate.players import PLAYER_WORDS, read_players, tell_one
from .telling import Result, result_of, told

_SINGER_WORDS = ("singer", "singer", "voice", "singing", "vocals")
_START = "0:00"
_P_SINGER, _P_HEARD, _P_INSTRUMENT = 0.25, 0.75, 0.4


def _verbs(word: str) -> dict[str, str]:
    plural = is_plural(word)
    verbs = ("come", "enter", "begin", "open", "stop", "play")
    ends = {verb: verb if plural else f"{verb}s" for verb in verbs}
    return {
        **ends,
        "player": word,
        "be": "are" if plural else "is",
        "do_not": "do not" if plural else "does not",
    }


def _draw_player(scene: Scene) -> tuple[str, str]:
    """Draw whom to ask for: the family, and its name or that of one of its instruments."""
    result = result_of(scene, "players")
    heard = [p.family for p in read_players(result)] if result else []
    heard = [family for family in heard if family != "voice"]
    if heard and scene.rng.random() < _P_HEARD:
        family = pick(heard, scene.rng)
    else:
        family = pick([f for f in ALL_FAMILIES if f != "voice"], scene.rng)
    members = [name for name in INSTRUMENTS if family_of(name) == family]
    if scene.rng.random() < _P_INSTRUMENT:
        return family, pick(members, scene.rng)
    return family, PLAYER_WORDS.get(family, family)


def _ask_player(family: str) -> Asker:
    """Ask when somebody enters or leaves; singers are told by the tool for singing."""
    answers = "entrance_told" if family == "enters" else "exit_told"

    def ask(scene: Scene) -> Turn:
        if scene.rng.random() < _P_SINGER:
            return _ask_singer(scene, family)
        asked, name = _draw_player(scene)
        everything = scene.run(Call("detect_instruments"))
        of_one = everything
        if "error" not in everything:
            of_one = tell_one(asked, everything, scene.rng)
        scene.tell(Call("detect_instruments", {"instrument": name}), of_one)

        def answer(result: Result) -> str:
            verbs = _verbs(PLAYER_WORDS.get(asked, asked))
            if result["enters"] is None:
                heard = join_words([p.word for p in read_players(result)])
                return scene.answer("entrance_told", "none", heard=heard, **verbs)
            side, edge = ("enters", _START) if family == "enters" else ("leaves", END)
            case = case_of(result)
            if (at := result[side]) == edge:
                case = "start" if family == "enters" else "end"
            values = {**verbs, "confidence": str(result["confidence"])}
            return scene.answer(answers, case, at=at, start=result["enters"], **values)

        return told(scene, "players", scene.ask(family, **named(name)), answer, instrument=name)

    return ask


def _ask_singer(scene: Scene, family: str) -> Turn:
    """Ask when the singing starts or stops."""
    word = pick(_SINGER_WORDS, scene.rng)
    side = "start" if family == "enters" else "end"

    def answer(result: Result) -> str:
        doubt = "_unsure" if case_of(result) == "unsure" else ""
        if not result["singing"]:
            return scene.answer("singing_told", "none" + doubt, **words_of(result))
        spans = _spans(result)
        at = spans[0][0] if side == "start" else spans[-1][1]
        return scene.answer("singing_told", side + doubt, at=at, **words_of(result))

    return told(scene, "singing", scene.ask(family, **named(word)), answer)


def _spans(result: Result) -> list[list[str]]:
    return [span.split("-") for span in result["sung"].split(", ")]


def _tell_times(result: Result) -> str:
    """List who plays when: `the drums from 0:00 to the end`."""
    clauses = []
    for player in read_players(result):
        until = "the end" if player.end == END else player.end
        doubt = "" if player.is_sure else "perhaps "
        clauses.append(f"{doubt}{player.word} from {player.start} to {until}")
    return ", ".join(clauses)


def _ask_times(family: str, **arguments: bool) -> Asker:
    def ask(scene: Scene) -> Turn:
        def answer(result: Result) -> str:
            return scene.answer(family, "measured", told=_tell_times(result))

        return told(scene, "players", scene.ask(family), answer, **arguments)

    return ask


def _ask_how_sure(scene: Scene) -> Turn:
    def answer(result: Result) -> str:
        listed = ", ".join(f"{p.word} {p.confidence}" for p in read_players(result))
        return scene.answer("how_sure_players", "measured", told=listed)

    return told(scene, "players", scene.ask("how_sure_players"), answer)


def _ask_sung(family: str) -> Asker:
    """Ask about all of the singing."""

    def ask(scene: Scene) -> Turn:
        def answer(result: Result) -> str:
            if not result["singing"]:
                doubt = "_unsure" if case_of(result) == "unsure" else ""
                return scene.answer("singing_told", "none" + doubt, **words_of(result))
            return scene.answer(
                family, case_of(result), told=_tell_spans(result), **words_of(result)
            )

        return told(scene, "singing", scene.ask(family), answer)

    return ask


def _tell_spans(result: Result) -> str:
    return join_words([f"from {start} to {end}" for start, end in _spans(result)])


def _ask_voice_check(scene: Scene) -> Turn:
    def answer(result: Result) -> str:
        singing, choir = result["singing"], result["choir"]
        case = (
            "both" if singing and choir else "singer" if singing else "choir" if choir else "none"
        )
        spans = {"told": _tell_spans(result)} if singing else {}
        return scene.answer("voice_check", case, **spans, **words_of(result))

    return told(scene, "singing", scene.ask("voice_check"), answer)


INSTEAD: dict[str, Asker] = {name: _ask_player(name) for name in ("enters", "leaves")}
"""Families that are answered by ear where the tools are not at hand."""
FAMILIES: dict[str, tuple[float, Asker]] = {
    "who_when": (2.5, _ask_times("who_when")),
    "who_when_picture": (1.5, _ask_times("who_when_picture", picture=True)),
    "how_sure_players": (1.2, _ask_how_sure),
    "sung_when": (2.0, _ask_sung("sung_when")),
    "sung_share": (1.2, _ask_sung("sung_share")),
    "voice_check": (1.2, _ask_voice_check),
}
