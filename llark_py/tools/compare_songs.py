"""The tool that sets two recordings side by side and says whether they can be mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llark_py.analysis.comparison import Comparison, compare
from llark_py.audio import Audio
from llark_py.errors import ToolError
from llark_py.instruct.aspects import ASPECTS, Aspect
from llark_py.theory import KeyRelation, Order, camelot_code, which_is_more

from ._result import absent, as_confidence
from ._workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class SongComparison:
    """Tempo, key, instruments and loudness of two recordings, and how alike they sound.

    `faster` and `louder` say which one is; neither within half a BPM or LU.
    `tempo_ratio` is the second tempo over the first, `beat_match_percent` how much faster the
    second has to be played for the beats to fall together (doubled or halved where that is
    nearer), `beats_match` whether that is within 6 percent. Keys mix when they are the same,
    relative, or neighbours on the Camelot wheel. `loudness_difference_lu` is by how much the
    second is louder. Each confidence is that of the less sure of two measurements.
    """

    first_tempo_bpm: float = absent()
    second_tempo_bpm: float = absent()
    faster: Order = absent()
    tempo_ratio: float = absent()
    beat_match_percent: float = absent()
    beats_match: bool = absent()
    tempo_confidence: float = absent()
    first_key: str = absent()
    second_key: str = absent()
    first_camelot: str = absent()
    second_camelot: str = absent()
    key_relation: KeyRelation = absent()
    keys_mix: bool = absent()
    key_confidence: float = absent()
    instruments_in_both: tuple[str, ...] = absent()
    instruments_in_first_only: tuple[str, ...] = absent()
    instruments_in_second_only: tuple[str, ...] = absent()
    loudness_difference_lu: float = absent()
    louder: Order = absent()
    similarity: float = absent()


def compare_songs(
    first: Audio, second: Audio, workspace: Workspace, aspect: Aspect = "all"
) -> SongComparison:
    """Compare two recordings and say whether they can be mixed.

    Args:
        first: Id of one recording, such as audio_1.
        second: Id of the other recording, such as audio_2.
        aspect: What to compare: tempo (which is faster), key, mix (whether beats and keys go
            together), loudness (which is louder), sound (instruments and similarity), or all.
            (choices: ["all", "tempo", "key", "mix", "loudness", "sound"])

    Returns:
        Both tempi, the faster one, and whether the beats can be matched, both keys with Camelot
        codes and whether they mix, instruments in both or only one, the loudness difference in LU,
        and a similarity from 0 to 1; of one aspect, what belongs to it.
    """
    if first is second:
        raise ToolError("both are the same recording; name two different ones")
    workspace.progress(0.0, "comparing")
    found = _side_by_side(compare(first, second))
    return SongComparison(**{name: found[name] for name in ASPECTS.get(aspect, found)})


def _side_by_side(found: Comparison) -> dict[str, Any]:
    songs = found.first, found.second
    tempi = [song.rhythm.tempo_bpm for song in songs]
    keys = [song.harmony.key for song in songs]
    one, other = (song.families for song in songs)
    return {
        "first_tempo_bpm": round(tempi[0], 1),
        "second_tempo_bpm": round(tempi[1], 1),
        "faster": which_is_more(*tempi),
        "tempo_ratio": round(found.tempo_ratio, 2),
        "beat_match_percent": round(found.beat_match_percent, 1),
        "beats_match": found.beats_match,
        "tempo_confidence": as_confidence(min(song.rhythm.confidence for song in songs)),
        "first_key": keys[0],
        "second_key": keys[1],
        "first_camelot": camelot_code(keys[0]),
        "second_camelot": camelot_code(keys[1]),
        "key_relation": found.key_relation,
        "keys_mix": found.key_relation != "distant",
        "key_confidence": as_confidence(min(song.harmony.confidence for song in songs)),
        "instruments_in_both": tuple(name for name in one if name in other),
        "instruments_in_first_only": tuple(name for name in one if name not in other),
        "instruments_in_second_only": tuple(name for name in other if name not in one),
        "loudness_difference_lu": round(found.loudness_difference_lu, 1),
        "louder": which_is_more(0.0, found.loudness_difference_lu),
        "similarity": round(found.similarity, 2),
    }
