"""Which clips a batch is made of: rare families and named styles come more often than composed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from llark_py.track import Track


class ClipSampler:
    """Draws clips; a share of the music is exchanged for music that there is too little of.

    About half of the clips have instruments drawn without regard to style, and no style to name.
    Drawing a family first, and then a clip with it, makes a rare family as frequent in its share
    as a common one.

    Args:
        tracks: The facts of all clips.
        p_named_style: Share of the music without a named style that is exchanged for such with one.
        p_rare_family: Share of the music that is exchanged for a clip of a family drawn evenly.
    """

    def __init__(self, tracks: Sequence[Track], p_named_style: float, p_rare_family: float):
        self.p_named_style, self.p_rare_family = p_named_style, p_rare_family
        self.is_music = [track.sound == "music" for track in tracks]
        self.is_named = [track.genre is not None for track in tracks]
        self._named = [i for i, named in enumerate(self.is_named) if named]
        with_family: dict[str, list[int]] = defaultdict(list)
        for i, track in enumerate(tracks):
            for family in track.families:
                with_family[family].append(i)
        self._with_family = [with_family[family] for family in sorted(with_family)]

    def draw(self, n: int, rng: random.Random) -> list[int]:
        """Draw the numbers of `n` clips."""
        return [self._exchanged(rng.randrange(len(self.is_music)), rng) for _ in range(n)]

    def _exchanged(self, i: int, rng: random.Random) -> int:
        if not self.is_music[i]:
            return i
        if self._with_family and rng.random() < self.p_rare_family:
            return rng.choice(rng.choice(self._with_family))
        if self._named and not self.is_named[i] and rng.random() < self.p_named_style:
            return rng.choice(self._named)
        return i
