"""When a reply begins to go round in circles, and what of it may be shown until that is known.

Greedy decoding of a small model can loop ("verse at 0:18, chorus at 0:28, verse at 0:18, ...").
A reply is over where it starts to say again a whole sentence, a clause with a number in it, or,
for the fifth time, the same clause behind the same other (in a list of sections that is usual) or
the same few words ("C - F - C - F - ...").
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

# Marks inside numbers and times are followed by a figure, and end nothing.
_CLAUSE = re.compile(r"(?:[^.,;!?\n]|[.,](?=\d))+([.,;!?\n]*)")
_WORD = re.compile(r"\w+(?:[.:/]\w+)*")
_LEAST_WORDS = 3
_MOST_ROUNDS = 4
_LIST_WORDS = {"and", "then", "or"}
_LONGEST_ROUND = 6


class _Clause(NamedTuple):
    """Where a clause begins, its words, and the mark that ended it (empty while it is open)."""

    start: int
    words: tuple[str, ...]
    mark: str


def _clauses(text: str) -> list[_Clause]:
    found = []
    for match in _CLAUSE.finditer(text):
        words = [w.lower() for w in _WORD.findall(match.group())]
        while words and words[0] in _LIST_WORDS:
            words = words[1:]
        # A point or comma at the very end may yet turn out to stand inside a number.
        ended = match.end() < len(text) or set(match.group(1)) & set("!?;\n")
        mark = match.group(1) if ended else ""
        if words or not mark:
            found.append(_Clause(match.start(), tuple(words), mark))
    return found


def _sentences(clauses: list[_Clause]) -> list[_Clause]:
    """Join clauses up to the next full stop; an open end is left open."""
    joined: list[_Clause] = []
    for clause in clauses:
        if joined and not set(joined[-1].mark) & set(".!?\n"):
            last = joined.pop()
            clause = _Clause(last.start, (*last.words, *clause.words), clause.mark)
        joined.append(clause)
    return joined


def _fifth_rounds(text: str) -> tuple[list[int], int]:
    """Find fifth rounds of the same one to six words.

    Returns:
        Where whole ones begin, and up to where no word may be part of one.
    """
    found = list(re.finditer(r"\S+", text))
    words = [match.group().lower() for match in found]
    whole = len(words) - (not text[-1:].isspace())  # the last word may go on
    starts: list[int] = []
    settled = len(text)
    for period in range(1, _LONGEST_ROUND + 1):
        same = 0
        for i in range(period, len(words)):
            before = words[i - period]
            same += 1
            if words[i] != before and (i < whole or not before.startswith(words[i])):
                same = 0
            if same == _MOST_ROUNDS * period and i < whole:
                starts.append(found[i - period + 1].start())
                break
        over = same - (_MOST_ROUNDS - 1) * period
        if over > 0:
            settled = min(settled, found[len(words) - over].start())
    return starts, settled


def loop_start(text: str) -> int | None:
    """Find where a reply begins to repeat itself; None while it does not.

    Args:
        text: What has been said so far, perhaps in the middle of a word.
    """
    clauses = _clauses(text)
    starts = []
    for units, needs_number in ((_sentences(clauses), False), (clauses, True)):
        said: set[tuple[str, ...]] = set()
        for unit in units:
            counts = len(unit.words) >= _LEAST_WORDS
            if needs_number:
                counts = counts and any(w[0].isdigit() for w in unit.words)
            if not unit.mark or not counts:
                continue
            if unit.words in said:
                starts.append(unit.start)
                break
            said.add(unit.words)
    pairs: Counter[tuple[tuple[str, ...], tuple[str, ...]]] = Counter()
    for first, second in pairwise(clauses):
        pairs[first.words, second.words] += bool(second.mark)
        if pairs[first.words, second.words] > _MOST_ROUNDS:
            starts.append(second.start)
            break
    return min(starts + _fifth_rounds(text)[0], default=None)


def settled_length(text: str) -> int:
    """Count the characters that can be shown: the last sentence or clause may be a repetition.

    What is being said is held back while it agrees, word by word, with one said before.
    """
    looping = loop_start(text)
    if looping is not None:
        return looping
    clauses = _clauses(text)
    _, settled = _fifth_rounds(text)
    for units in (clauses, _sentences(clauses)):
        if len(units) < 2:
            continue
        open_, earlier = units[-1], units[:-1]
        long = (unit.words for unit in earlier if len(unit.words) >= _LEAST_WORDS)
        if any(_begins(words, open_.words) for words in long):
            settled = min(settled, open_.start)
    rounds = sum(
        first.words == clauses[-2].words and _begins(second.words, clauses[-1].words)
        for first, second in pairwise(clauses[:-1])
    )
    return min(settled, clauses[-1].start) if rounds >= _MOST_ROUNDS else settled


def _begins(whole: tuple[str, ...], part: tuple[str, ...]) -> bool:
    """Say whether words begin with others, the last of which may not be whole yet."""
    if not part:
        return True
    same = whole[: len(part) - 1] == part[:-1] and len(whole) >= len(part)
    return same and whole[len(part) - 1].startswith(part[-1])


def without_loop(text: str) -> str:
    """Cut a reply off where it begins to repeat itself, and end it with a full stop."""
    start = loop_start(f"{text}\n")
    if start is None:
        return text
    kept = text[:start].rstrip().rstrip(",;-").rstrip()
    return kept if kept.endswith((".", "!", "?")) else f"{kept}."
