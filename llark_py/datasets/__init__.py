"""Datasets: recordings with facts, as `Track` records. One dataset, or one layout, a file.

A part has `read_tracks(root: Path) -> Iterator[Track]`, where every Track's `audio_path` is a file
that exists and every fact's source is `dataset:<name>`.
"""
