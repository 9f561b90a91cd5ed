"""Judges by word lists, strictly, whether an answer is of the kind that a question wants.

It cannot tell whether what is said is true: that is for the person who reads the report.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from llark_py.tools import names

KINDS = ("unknowable", "about", "polite", "elsewhere", "english")
_PATTERNS = {
    "unknowable": (
        r"\bsound\b.{0,25}\b(?:not|n't|cannot|never)\b",
        r"\bnot\b.{0,30}\bsound (?:reveals?|tells?)",
        r"\b(?:cannot|can't|could not|couldn't|nobody could|no way (?:to|of)) "
        r"(?:be heard|know|hear|tell|say|see|learn|find|name|date|knowing|telling)\b",
        r"\bdo(?:es)?(?: not|n't) know\b",
        r"\bsound alone\b|\bnot by whom\b",
        r"\bguess(?:ing)?\b",
        r"\bno idea\b",
        r"\bonly (?:hear|have) the (?:sound|music)\b",
        r"\bnot (?:written|stored|told|something) (?:in|by) the (?:sound|audio|music)\b",
    ),
    "about": (
        r"\bllark\b",
        r"\bi(?:'m| am)\b.{0,40}\b(?:assistant|model|program|software|listener|computer)\b",
        r"\bi (?:can |could |also |only )?(?:listen|hear|measure|describe|tell|answer|write)\b",
        r"\bi (?:can |only )?(?:read|take|learn(?:t|ed)?)\b",
        r"\b(?:i was|have been) (?:trained|made|built)\b|\btrained\b",
        r"\bask (?:me|for)\b|\bgive me a (?:song|recording)\b",
        r"\b(?:wav|mp3|flac|ogg)\b",
    ),
    "polite": (
        r"\bwelcome\b|\bh(?:ello|i|ey)\b|\bglad\b|\bpleasure\b|\b(?:good)?bye\b|\bhappy to\b",
        r"\bany ?time\b|\bnice\b|\bgood (?:to|day|morning|evening|luck)\b|\bthank",
        r"\bcheers\b|\bsee you\b|\bready\b|\bgo ahead\b|\btake care\b|\benjoy\b",
        r"\bno problem\b|\bnot at all\b|\bfarewell\b|\b(?:great|good), (?:what|ask)",
        r"\bi am (?:all ears|listening)\b|\bnext time\b",
    ),
    "elsewhere": (
        r"\bonly (?:know|help|do|talk|understand|listen|answer|deal)\b.{0,30}\bmusic\b",
        r"\bmusic is (?:all|what|my)\b",
        r"\boutside\b|\bstick to\b|\bbeyond (?:me|music)\b",
        r"\bnot my (?:field|thing|subject|trade)\b|\b(?:cannot|can't) help\b",
        r"\bnothing (?:to do|about)\b|\bnot about (?:the )?music\b",
        r"\bback to the (?:music|recording|song)\b",
    ),
    "english": (r"\benglish\b",),
}
_KIND = {kind: re.compile("|".join(parts), re.IGNORECASE) for kind, parts in _PATTERNS.items()}
# What an answer by ear must not be: a refusal. It may be polite, speak of itself, or be in doubt.
_REFUSALS = ("unknowable", "elsewhere", "english")
_DOUBT = re.compile(
    r"\b(?:my )?(?:best )?guess(?:ed|ing)?\b:?|\bhard to (?:tell|say)\b"
    r"|\b(?:as|so) far as i can tell\b"
    r"|\b(?:cannot|can't) (?:tell|say) (?:for certain|for sure|exactly)\b",
    re.IGNORECASE,
)


def is_kind(answer: str, kind: str) -> bool:
    """Tell whether an answer has the words of one of `KINDS`."""
    return _KIND[kind].search(answer) is not None


def check_tools(
    wants: Sequence[str], called: Collection[str], instead: Collection[str] = ()
) -> bool:
    """Tell whether exactly the tools that are wanted were called, or one that does as well."""
    wanted = {want for want in wants if want in names()}
    return set(called) == wanted or (len(set(called)) == 1 and set(called) <= set(instead))


def check_answer(
    wants: Sequence[str], called: Collection[str], answer: str, instead: Collection[str] = ()
) -> bool:
    """Tell whether an answer is of every kind that is wanted and the right tools were called.

    Args:
        wants: Names of tools, `hear`, or `KINDS`.
        called: Names of the tools that were called and answered.
        answer: What was said.
        instead: Tools any of which answers as well.
    """
    if not answer.strip() or not check_tools(wants, called, instead):
        return False
    kinds = [want for want in wants if want in KINDS]
    if not all(is_kind(answer, kind) for kind in kinds):
        return False
    refused = any(is_kind(_DOUBT.sub("", answer), kind) for kind in _REFUSALS)
    return bool(kinds) or not refused
