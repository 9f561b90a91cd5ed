"""SHA-256 of questions, so that results tell what they were made of."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def sha256(value: Any) -> str:
    """Hash what JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
