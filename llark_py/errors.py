"""Every error that is raised on purpose.

The command line prints a `LlarkError` as one line on stderr and exits with code 2; any other
exception is a bug and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from reprlib import Repr

# What came in is told, but must not fill the screen, or a model's context.
_QUOTE = Repr()
_QUOTE.maxstring = 60


class LlarkError(Exception):
    """Base of every error that is the user's to mend."""


class ConfigError(LlarkError, ValueError):
    """A setting, recipe or argument that is not allowed."""


class AudioError(LlarkError, ValueError):
    """A recording that cannot be read or used."""


class UnknownNameError(LlarkError, LookupError):
    """A part, tool or instrument name that nothing answers to."""

    def __init__(self, kind: str, name: str, known: Iterable[str]):
        self.kind, self.name, self.known = kind, name, sorted(known)
        close = difflib.get_close_matches(name, self.known, n=1)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        there = ", ".join(self.known) or "none"
        super().__init__(f"no {kind} {_QUOTE.repr(name)}.{hint} Known: {there}")


class PromptError(LlarkError, ValueError):
    """A prompt file that is missing or does not fit its variables."""


class CheckpointError(LlarkError, RuntimeError):
    """Weights that are missing, incomplete or of another shape."""


class ToolError(LlarkError, RuntimeError):
    """A tool that cannot answer; the text goes back to the model."""


class EndpointError(LlarkError, RuntimeError):
    """A language model behind an address that does not answer, or not as it should."""


class MissingExtraError(LlarkError, ImportError):
    """A library or data file of an optional part that is not installed."""

    def __init__(self, what: str, install: str):
        super().__init__(f"{what} is not installed. Install it with: {install}")
