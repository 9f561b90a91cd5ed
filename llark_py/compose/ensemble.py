"""Who plays: draws the players of a piece, their instruments, patterns and manner."""

from __future__ import annotations

import random
from typing import NamedTuple

from . import instruments
from .grooves_popular import GROOVES
from .harmony import fit
from .instruments import SINGER
from .patterns_popular import CHORD_PATTERNS
from .singer import RANGES
from .style import Style

TEXTURES = {"solo": 0.08, "duo": 0.07, "chamber": 0.08, "drums": 0.025, "held": 0.025, "band": 0.72}
"""How often which kind of ensemble plays."""
_P_FREE_DRUMS = 0.42
_P_FREE_BASS = 0.5
_P_FREE_BASS_VOICE = 0.3
_P_HAND_DRUMS = 0.2
_P_DOUBLED = 0.12
_P_SOLOIST = 0.6
_P_TUNE_ALONE = 0.6
_ARTICULATION_ALONE = (0.3, 1.0)
_CHORD_CENTRES = (55, 59, 62, 65)
_LOW_PATTERNS = ("power", "power eighths", "chug", "boogie")
_BROKEN = ("arpeggio", "alberti", "fast arpeggio", "roll", "inner 0", "inner 1", "inner 2")
_DOUBLES = (-12, 0, 12)
_ROOM = 5


class Player(NamedTuple):
    """One player: what, in which role (`melody`, `chords`, `bass`, `pad`, `drums`) and how.

    `patterns` are names of patterns (of drums: a kit), one for each material of the form in turn;
    `register` is (centre, low, high) in MIDI pitches; `articulation` the share of their time that
    notes sound; `ornaments` how often they are adorned; `when` is empty for who plays at any
    time, `solo` or `double` for who has the tune in solos or doubles it, `double` semitones away;
    `busy` and `syncopation` as in `write_melody`.
    """

    instrument: str
    role: str
    program: int
    patterns: tuple[str, ...]
    velocity: int
    register: tuple[int, int, int] = (60, 48, 72)
    articulation: float = 1.0
    ornaments: float = 0.0
    when: str = ""
    double: int = 0
    busy: int = 1
    syncopation: float = 0.0


class Ensemble(NamedTuple):
    """The players of a piece and which kind of ensemble (`TEXTURES`) they are."""

    texture: str
    players: list[Player]


def _register(name: str, centre: int) -> tuple[int, int, int]:
    """The register of a part: the centre moved into the instrument's range, and the range."""
    voice = instruments.voice(name)
    inside = fit(centre, voice.low + 5, voice.high - 7)
    return inside, voice.low, voice.high


def _program(name: str, rng: random.Random) -> int:
    return rng.choice(instruments.voice(name).programs)


def _free_instrument(rng: random.Random) -> str:
    """Draw an instrument with every pitched family equally likely."""
    return rng.choice(instruments.members(rng.choice(instruments.PITCHED_FAMILIES)))


def _accompanist(name: str, pattern: str, role: str, rng: random.Random) -> Player:
    """Seat an accompanist; one that plays one note at a time breaks chords."""
    voice = instruments.voice(name)
    if not voice.polyphonic and pattern not in _BROKEN:
        pattern = "arpeggio"
    if voice.decays and pattern in ("held", "drone") and rng.random() < 0.6:
        pattern = rng.choice(("block", "arpeggio"))
    centre = 45 if pattern in _LOW_PATTERNS else rng.choice(_CHORD_CENTRES)
    velocity = rng.randint(56, 72) if role == "pad" else rng.randint(64, 92)
    other = pattern
    if role == "chords" and voice.polyphonic and rng.random() < 0.3:
        other = rng.choice(("block", "arpeggio", "held" if not voice.decays else "block"))
    sustained = role == "pad" or pattern in ("held", "drone") or other in ("held", "drone")
    return Player(
        name,
        role,
        _program(name, rng),
        (pattern, other),
        velocity,
        _register(name, centre),
        articulation=1.0 if sustained else rng.choice((0.5, 0.75, 1.0, 1.0)),
    )


def _bassist(name: str, style: Style, rng: random.Random) -> Player:
    voice = instruments.voice(name)
    centre = min(rng.choice((36, 38, 40)), voice.high - 7)
    low = max(voice.low, 28)
    register = (max(centre, low + 5), low, min(voice.high, low + 26))
    patterns = [rng.choice(style.bass_patterns), rng.choice(style.bass_patterns)]
    if rng.random() < style.pedal:
        patterns[rng.randrange(2)] = "pedal"
    return Player(
        name, "bass", _program(name, rng), tuple(patterns), rng.randint(78, 104), register
    )


def _melodist(name: str, style: Style, rng: random.Random, when: str = "") -> Player:
    voice = instruments.voice(name)
    middle = (voice.low + voice.high) // 2
    centre = max(min(middle + 4, 79 if voice.low >= 60 else 74), 45) + rng.choice((-2, 0, 2))
    return Player(
        name,
        "melody",
        _program(name, rng),
        ("melody",),
        rng.randint(84, 110),
        _register(name, centre),
        articulation=rng.uniform(*style.articulation),
        ornaments=rng.choice((0.0, 1.0, 2.0)) * style.ornaments,
        when=when,
        busy=rng.randint(2, 3) if when == "solo" else rng.choice(style.busy),
        syncopation=style.syncopation,
    )


def _singer(style: Style, rng: random.Random) -> Player:
    """Draw a kind of voice; the words are set later."""
    kind = RANGES[rng.choice(list(RANGES))]
    centre = (kind.low + kind.high) // 2 + rng.choice((-3, 0, 0, 3))
    # Room above for sections that lie higher.
    register = (fit(centre, kind.low + 5, kind.high - 7), kind.low, kind.high - _ROOM)
    return Player(
        SINGER.name,
        "melody",
        SINGER.programs[0],
        ("melody",),
        rng.randint(84, 108),
        register,
        busy=min(2, rng.choice(style.busy)),
        syncopation=style.syncopation,
    )


def _drummer(style: Style, rng: random.Random, kit: str | None = None) -> Player:
    """Seat a drummer; a style without a kit borrows another style's."""
    kit = kit or style.kit or rng.choice(sorted(GROOVES))
    program = 0 if kit == "hand drums" else rng.choice(style.kits or (0,))
    return Player("drums", "drums", program, (kit,), rng.randint(86, 114))


def draw_ensemble(style: Style, *, free: bool, sung: bool, rng: random.Random) -> Ensemble:
    """Draw who plays a piece.

    Args:
        style: The style; its patterns are kept even when its instruments are not.
        free: Draw instruments independently of the style.
        sung: A singer has the melody.
        rng: Source of the choices.
    """
    texture = rng.choices(list(TEXTURES), list(TEXTURES.values()))[0]
    if texture == "drums" and (sung or not (free or style.kit)):
        texture = "band"
    players = _DRAWN[texture](style, free, rng)
    if sung:
        # Who has the tune leaves it to the singer, unless nobody else would accompany.
        others = [p for p in players if p.role != "melody" or p.when == "solo"]
        band = others or [p._replace(role="chords", patterns=("figuration",)) for p in players]
        players = [*band, _singer(style, rng)]
    return Ensemble(texture, players)


def _draw_band(style: Style, free: bool, rng: random.Random) -> list[Player]:
    players = []
    for names, pattern in rng.sample(
        style.chords, min(len(style.chords), rng.randint(*style.n_chords))
    ):
        name = _free_instrument(rng) if free else rng.choice(names)
        players.append(_accompanist(name, pattern, "chords", rng))
    if rng.random() < (_P_FREE_BASS if free else style.p_bass):
        pool = style.bass
        if free:
            other = rng.random() < _P_FREE_BASS_VOICE
            pool = instruments.BASS_VOICES if other else instruments.members("bass")
        players.append(_bassist(rng.choice(pool), style, rng))
    if style.pads and rng.random() < style.p_pad:
        name = _free_instrument(rng) if free else rng.choice(style.pads)
        players.append(_accompanist(name, "held", "pad", rng))
    if rng.random() < (0.72 if free else style.p_melody):
        lead = _melodist(_free_instrument(rng) if free else rng.choice(style.melody), style, rng)
        players.append(lead)
        if rng.random() < _P_DOUBLED:
            name = _free_instrument(rng) if free else rng.choice(style.melody)
            double = _melodist(name, style, rng, when="double")
            players.append(double._replace(double=rng.choice(_DOUBLES)))
    if rng.random() < _P_SOLOIST:
        name = _free_instrument(rng) if free else rng.choice(style.melody)
        players.append(_melodist(name, style, rng, when="solo"))
    if rng.random() < (_P_FREE_DRUMS if free else style.p_drums):
        hands = free and rng.random() < _P_HAND_DRUMS
        players.append(_drummer(style, rng, "hand drums" if hands else None))
    elif rng.random() < style.percussion:
        players.append(_drummer(style, rng, "hand drums"))
    return players


def _draw_solo(style: Style, free: bool, rng: random.Random) -> list[Player]:
    """One instrument alone: two hands where it can, else a tune or a broken chord."""
    if free:
        name = _free_instrument(rng)
    else:
        name = rng.choice((*style.melody, *(n for names, _ in style.chords for n in names)))
    voice = instruments.voice(name)
    if not voice.polyphonic:
        line = _melodist(name, style, rng)
        if rng.random() < _P_TUNE_ALONE:
            # Played short as often as not: the silence between notes is not what makes speech.
            return [line._replace(articulation=rng.uniform(*_ARTICULATION_ALONE))]
        register = _register(name, (voice.low + voice.high) // 2)
        return [line._replace(patterns=("figuration",), register=register)]
    # A pattern with its own bass, so that the chords are clear without one.
    own = [pattern for _, pattern in style.chords if pattern in CHORD_PATTERNS]
    pattern = rng.choice((*own, "arpeggio", "block", "oompah"))
    accompaniment = _accompanist(name, pattern, "chords", rng)
    if rng.random() < 0.35:
        return [accompaniment]
    # Two hands of one player: the same sound.
    return [accompaniment, _melodist(name, style, rng)._replace(program=accompaniment.program)]


def _draw_duo(style: Style, free: bool, rng: random.Random) -> list[Player]:
    """A melody and one accompanist."""
    names, pattern = rng.choice(style.chords)
    accompanist, soloist = rng.choice(names), rng.choice(style.melody)
    if free:
        soloist, accompanist = _free_instrument(rng), _free_instrument(rng)
    return [_accompanist(accompanist, pattern, "chords", rng), _melodist(soloist, style, rng)]


def _draw_chamber(style: Style, _free: bool, rng: random.Random) -> list[Player]:
    """Three to five single voices, one with the tune and the others with a tone of the chord."""
    family = rng.choice(("strings", "brass", "woodwind", "choir", "organ", "mallet", ""))
    pool = instruments.members(family) if family else ()
    names = [rng.choice(pool) if pool else _free_instrument(rng) for _ in range(4)]
    players = [
        _accompanist(name, f"inner {i}", "chords", rng)._replace(patterns=(f"inner {i}",))
        for i, name in enumerate(names[:3])
    ]
    players.append(_melodist(names[3], style, rng))
    if rng.random() < 0.4:
        players.append(
            _bassist(rng.choice(("cello", "double bass", "bassoon", "tuba")), style, rng)
        )
    return players


def _draw_drums(style: Style, _free: bool, rng: random.Random) -> list[Player]:
    """Drums alone."""
    return [_drummer(style, rng, "hand drums" if rng.random() < 0.25 else None)]


def _draw_held(style: Style, free: bool, rng: random.Random) -> list[Player]:
    """Chords that stand still, on one or two instruments that can hold them."""
    able = [n for n in instruments.INSTRUMENTS if _holds(n)]
    names = [rng.choice(able) for _ in range(rng.choice((1, 1, 2)))]
    return [
        _accompanist(name, "held", "chords", rng)._replace(patterns=("held",)) for name in names
    ]


def _holds(name: str) -> bool:
    voice = instruments.voice(name)
    return voice.polyphonic and not voice.decays and voice.family != "drums"


_DRAWN = {
    "band": _draw_band,
    "solo": _draw_solo,
    "duo": _draw_duo,
    "chamber": _draw_chamber,
    "drums": _draw_drums,
    "held": _draw_held,
}
