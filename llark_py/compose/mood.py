"""The mood of composed music: a rule over facts that stay true after a change of tempo."""

from __future__ import annotations

MOODS = (
    "aggressive",
    "dreamy",
    "melancholic",
    "epic",
    "majestic",
    "tense",
    "moody",
    "laid-back",
    "energetic",
    "intense",
    "cheerful",
    "peaceful",
)

# A middling piece: zero arousal at this beat rate (simple, compound) and density.
_MIDDLE_BPM = {"6/8": 75.0}
_MIDDLE_BPM_SIMPLE = 105.0
_BPM_PER_STEP = 45.0
_MIDDLE_NOTES_PER_S = 3.2
_NOTES_PER_STEP = 3.0


def mood_of(
    genre: str | None,
    mode: str,
    tempo_bpm: float,
    time_signature: str,
    notes_per_s: float,
    has_drums: bool,
) -> str:
    """Tell the mood of a piece from its genre, mode and how excited it is.

    Args:
        genre: One of `styles.STYLES`, or None when it is not recognisable.
        mode: `major` or `minor`.
        tempo_bpm: Beats a minute (dotted quarters in 6/8).
        time_signature: One of `styles.TIME_SIGNATURES`.
        notes_per_s: Onsets of pitched notes a second, see `notes_per_second`.
        has_drums: Whether drums play.

    Returns:
        One of `MOODS`.
    """
    minor = mode == "minor"
    middle = _MIDDLE_BPM.get(time_signature, _MIDDLE_BPM_SIMPLE)
    arousal = (tempo_bpm - middle) / _BPM_PER_STEP
    arousal += (notes_per_s - _MIDDLE_NOTES_PER_S) / _NOTES_PER_STEP
    arousal += 0.5 if has_drums else -0.5
    if genre == "metal":
        return "aggressive"
    if genre == "ambient":
        return "melancholic" if minor else "dreamy"
    if genre == "orchestral":
        if minor:
            return "tense" if arousal > 0.2 else "melancholic"
        return "epic" if arousal > 0.2 else "majestic"
    if genre in ("hip-hop", "reggae", "bossa nova"):
        return "moody" if minor else "laid-back"
    if genre in ("electronic dance", "disco", "drum and bass", "punk"):
        return "energetic"
    if arousal > 0.6:
        return "intense" if minor else "energetic"
    if arousal > -0.5:
        return "moody" if minor else "cheerful"
    return "melancholic" if minor else "peaceful"


def notes_per_second(note_starts: list[tuple[float, str]], duration_s: float) -> float:
    """Count onsets of pitched notes a second; the notes of one chord count once.

    Args:
        note_starts: (start in seconds, instrument) of every note.
        duration_s: Length of the excerpt in seconds.
    """
    onsets = {(round(start, 1), instrument) for start, instrument in note_starts}
    return len(onsets) / duration_s
