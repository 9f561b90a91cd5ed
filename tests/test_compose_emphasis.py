"""Pieces that push and lean on the beats between: the sound moves, the facts do not."""

from __future__ import annotations

import itertools
import random
from statistics import mean

import pytest

from llark_py.compose import score as writing_score
from llark_py.compose.accompaniment import QuarterNote, accent
from llark_py.compose.drums import KICK
from llark_py.compose.emphasis import EARLY_QUARTERS, emphasise
from llark_py.compose.score import compose
from llark_py.compose.styles import style_named
from llark_py.compose.writing import Piece, WrittenPart

FUNK = style_named("funk")
EIGHTHS = [QuarterNote(i / 2, 0.5, 60, 80 + accent(i / 2 % 4, "4/4")) for i in range(32)]
KICKS = [QuarterNote(float(i), 0.2, KICK, 100) for i in range(16)]


def piece(*roles: str) -> Piece:
    notes = {"drums": KICKS}
    parts = [WrittenPart(role, role, 0, notes.get(role, EIGHTHS)) for role in roles]
    return Piece(parts, [], [], [], 16.0, "")


def drawn(*roles: str, metre: str = "4/4", n: int = 300) -> list[Piece]:
    before = piece(*roles)
    made = [emphasise(before, FUNK, metre, random.Random(seed)) for seed in range(n)]
    return [after for after in made if after != before]


def test_the_facts_stay_and_a_part_of_the_pieces_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = [compose(seed, 8.0) for seed in range(80)]
    monkeypatch.setattr(writing_score, "emphasise", lambda piece, *_: piece)
    plain = [compose(seed, 8.0) for seed in range(80)]
    for one, other in zip(moved, plain, strict=True):
        for fact in ("beats_s", "downbeats_s", "chords", "sections", "key", "tempo_bpm", "lead"):
            assert getattr(one, fact) == getattr(other, fact)
        assert len(one.parts) == len(other.parts)
    changed = mean(a.parts != b.parts for a, b in zip(moved, plain, strict=True))
    assert 0.1 < changed < 0.45


def test_what_comes_early_comes_by_an_eighth_and_sounds_on() -> None:
    early = 0
    for after in drawn("chords", "drums"):
        chords = after.parts[0].notes
        assert all(note.start >= 0 for note in chords)
        assert all(a.start + a.length <= b.start + 1e-6 for a, b in itertools.pairwise(chords))
        pushed = [note for note in chords if note.length == 0.5 + EARLY_QUARTERS]
        assert all((note.start + EARLY_QUARTERS) % 2 == 0 for note in pushed)
        early += bool(pushed)
    assert early > 20


def test_accents_leave_the_beat() -> None:
    def louder_between(after: Piece) -> float:
        notes = after.parts[0].notes
        on = mean(note.velocity for note in notes if note.start % 1 == 0)
        return mean(note.velocity for note in notes if note.start % 1) - on

    gains = [louder_between(after) for after in drawn("chords", "bass", "drums", metre="6/8")]
    gains += [louder_between(after) for after in drawn("chords", "bass", "drums")]
    assert min(gains) < -5 and max(gains) > 8  # as written, and the other way round
    assert sum(abs(gain) < 1 for gain in gains) > 0.2 * len(gains)


@pytest.mark.parametrize(("roles", "metre"), [(("chords",), "4/4"), (("chords", "bass"), "6/8")])
def test_nobody_is_early_alone_or_in_compound_time(roles: tuple[str, ...], metre: str) -> None:
    for after in drawn(*roles, metre=metre):
        assert [note.start for note in after.parts[0].notes] == [n.start for n in EIGHTHS]
