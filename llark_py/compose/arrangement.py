"""Who plays what in each section: writes the parts of an ensemble on the bar line grid."""

from __future__ import annotations

import random
from typing import NamedTuple

from .accompaniment import QuarterNote, write_bass, write_chords
from .drums import write_drums
from .ensemble import Ensemble, Player
from .form import SPARSE, Passage
from .harmony import Harmony, fit, nearest, voicing
from .melody import write_figuration, write_melody
from .ornaments import ornament
from .patterns import BAR_QUARTERS

_P_DRUM_BREAK = 0.25


class Frame(NamedTuple):
    """What every part of a section shares; chords begin at quarter 0."""

    metre: str
    chords: list[Harmony]
    n_bars: int
    quarter_bpm: float
    key: tuple[int, str]
    half_time: bool = False


def choose_players(ensemble: Ensemble, passage: Passage, seed: int) -> list[int]:
    """Choose who plays in a section, by their places in the ensemble.

    Sections with one label have the same players, so that a chorus is known again; from the
    second time on everybody joins. Somebody always has the chords, except in breaks of drums alone.
    """
    rng = random.Random(f"{seed} players {passage.label}")
    players = ensemble.players
    alone = len({p.instrument for p in players}) == 1
    drum_break = passage.label == "break" and rng.random() < _P_DRUM_BREAK
    if drum_break and not alone and any(p.role == "drums" for p in players):
        return [i for i, p in enumerate(players) if p.role == "drums"]
    chosen = []
    soloists = any(p.when == "solo" for p in players)
    for i, player in enumerate(players):
        chance = rng.random()
        label, again = passage.label, passage.turn > 0
        if player.role == "melody":
            sparse = label in SPARSE and chance < 0.75 and not alone
            wanted = {
                "solo": label == "solo",
                "double": not sparse and label in ("chorus", "drop", "variation", "theme"),
                "": not sparse and not (label == "solo" and soloists),
            }[player.when]
        elif player.role == "drums":
            wanted = label not in ("intro", "outro", "bridge", "break") or chance < 0.5
        elif player.role == "pad":
            wanted = label in ("chorus", "drop", "bridge", "pre-chorus") or again or chance < 0.5
        elif player.role == "bass":
            wanted = label not in ("intro", "break") or chance < 0.6
        else:
            wanted = again or passage.level > 0.6 or chance < 0.6
        if wanted or alone:
            chosen.append(i)
    harmonic = [i for i, p in enumerate(players) if p.role in ("chords", "pad")]
    if harmonic and ensemble.texture == "chamber":
        chosen = sorted({*chosen, *harmonic})  # each has but one tone of the chord
    if harmonic and not any(i in harmonic for i in chosen):
        chosen = sorted([*chosen, harmonic[0]])
    return chosen


def write_part(player: Player, frame: Frame, passage: Passage, seed: str) -> list[QuarterNote]:
    """Write what a player plays in a section.

    Args:
        player: Who plays.
        frame: Metre, chords and key of the section, in the home key.
        passage: The section; the same material and player give the same music.
        seed: Of the player in this piece.

    Returns:
        Notes in quarters from the start of the section, moved by the section's rise.
    """
    material = passage.material
    rng = random.Random(f"{seed} {material}")
    pattern = player.patterns[min(material, 1) % len(player.patterns)]
    if player.role == "drums":
        return write_drums(
            pattern,
            frame.metre,
            frame.n_bars,
            frame.quarter_bpm,
            player.velocity,
            rng,
            fill=passage.fill,
            half_time=frame.half_time,
        )
    if player.role == "bass":
        notes = _write_bass(player, pattern, frame, rng)
    elif pattern == "figuration":
        notes = write_figuration(*frame[:4], player.register, player.velocity, frame.key, rng)
    elif player.role == "melody":
        notes = _write_melody(player, frame, passage, rng, random.Random(f"{seed} {passage}"))
    else:
        notes = write_chords(pattern, *frame[:4], player.register, player.velocity, rng)
        notes = [n._replace(length=n.length * player.articulation) for n in notes]
    return [n._replace(pitch=n.pitch + passage.rise) for n in notes]


def _write_bass(
    player: Player, pattern: str, frame: Frame, rng: random.Random
) -> list[QuarterNote]:
    chords = frame.chords
    if pattern == "pedal":
        tonic, mode = frame.key
        chords = [c._replace(root=tonic, quality=mode[:3]) for c in chords]
        pattern = "sustained"
    rest = (frame.metre, chords, frame.n_bars, frame.quarter_bpm)
    return write_bass(pattern, *rest, player.register, player.velocity, rng)


def _write_melody(
    player: Player, frame: Frame, passage: Passage, rng: random.Random, taste: random.Random
) -> list[QuarterNote]:
    """Write the tune; a variation is busier and more adorned."""
    busy, often = player.busy, player.ornaments
    if passage.label == "variation":
        busy, often = 3, max(0.2, 2 * often)
    notes = write_melody(
        *frame[:4],
        player.register,
        player.velocity,
        frame.key,
        rng,
        busy,
        player.syncopation,
    )
    notes = [n._replace(length=n.length * player.articulation) for n in notes]
    if often:
        notes = ornament(notes, frame.chords, frame.quarter_bpm, frame.key, often, taste)
    return notes


def doubled(tune: list[QuarterNote], player: Player) -> list[QuarterNote]:
    """Let a player double a tune some octaves away, where its register allows."""
    _, low, high = player.register
    return [
        n._replace(pitch=fit(n.pitch + player.double, low, high), velocity=max(1, n.velocity - 12))
        for n in tune
    ]


def write_last_chord(
    player: Player, tonic: int, mode: str, length: float, velocity: int
) -> list[QuarterNote]:
    """Write what a player holds when the piece is over."""
    centre, low, high = player.register
    if player.role == "drums":
        return []
    final = Harmony(0.0, length, tonic, mode[:3])
    if player.role in ("bass", "melody") or player.patterns[0] == "figuration":
        pitches = [fit(nearest(tonic, centre), low, high)]
    elif player.patterns[0].startswith("inner"):
        spread = voicing(final, centre, low, high)
        pitches = [spread[int(player.patterns[0][-1]) % len(spread)]]
    else:
        pitches = voicing(final, centre, low, high)
    return [QuarterNote(0.0, length, pitch, velocity) for pitch in pitches]


def bars(frame: Frame) -> float:
    """The length of a section in quarters."""
    return frame.n_bars * BAR_QUARTERS[frame.metre]
