"""How far a run is, how fast, and when it will be over: one line on stderr."""

from __future__ import annotations

import sys
import time

_EVERY_S = 30.0
"""So often a line is written where there is no terminal."""


class Progress:
    """Counts songs.

    Args:
        total: Songs to do.
    """

    def __init__(self, total: int):
        self._total, self._done, self._failed = total, 0, 0
        self._began = self._told = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def add(self, done: int, failed: int) -> None:
        """Count songs that were described and songs that failed, and say so."""
        self._done, self._failed = self._done + done, self._failed + failed
        now = time.monotonic()
        if self._terminal:
            _write(f"\r\033[K{self.line(now - self._began)}")
        elif now - self._told >= _EVERY_S:
            self._told = now
            _write(f"{self.line(now - self._began)}\n")

    def finish(self) -> None:
        """Leave the last line as it is."""
        line = self.line(time.monotonic() - self._began)
        _write(f"\r\033[K{line}\n" if self._terminal else f"{line}\n")

    def line(self, took_s: float) -> str:
        """Write how far the run is after so many seconds."""
        over = self._done + self._failed
        rate = over / took_s if took_s > 0 else 0.0
        parts = [f"{over} of {self._total} songs", f"{self._failed} failed"]
        if rate:
            parts.append(f"{3600 * rate:.0f} songs/hour")
            if left := self._total - over:
                parts.append(f"{_duration(left / rate)} left")
        return ", ".join(parts)


def _duration(seconds: float) -> str:
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02d}:{s:02d}"


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
