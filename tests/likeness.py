"""How alike excerpts of songs sound to the encoder; `python tests/likeness.py` prints cosines.

To be run after every new checkpoint: `analysis.comparison.measure_similarity` says 0.9 where nine
excerpts of ten of the same song lie above, and 0.1 where nine of different songs lie below.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from llark_py.analysis.comparison import embedding_cosine
from llark_py.audio import Audio
from llark_py.compose.clip import make_song

FIRST_SEED, N_SONGS = 5000, 14
_SONG_S = 64.0
_EXCERPTS_S = ((4.0, 24.0), (34.0, 54.0))


def excerpts(seed: int) -> list[Audio]:
    """Compose a song and give 20 s of its beginning and of its middle."""
    song = make_song(seed, _SONG_S)[1]
    return [song.slice(*span) for span in _EXCERPTS_S]


def main() -> None:
    """Print the cosines that the constants of `measure_similarity` are read off."""
    songs = [excerpts(FIRST_SEED + i) for i in range(N_SONGS)]
    same = [embedding_cosine(*pair) for pair in songs]
    other = [embedding_cosine(a[0], b[1]) for a, b in combinations(songs, 2)]
    low, high = np.percentile(same, 10), np.percentile(other, 90)
    print(f"same song: median {np.median(same):.3f}, 10 % below {low:.3f}, least {min(same):.3f}")
    print(
        f"other song: median {np.median(other):.3f}, 10 % above {high:.3f}, most {max(other):.3f}"
    )
    print(f"_EVEN_COSINE = {(low + high) / 2:.2f}, _COSINE_SCALE = {(low - high) / 4.39:.2f}")


if __name__ == "__main__":
    main()
