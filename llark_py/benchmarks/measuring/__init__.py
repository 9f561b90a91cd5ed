"""The tools benchmark in pieces: music with known facts, rival methods, scores, pictures.

`benchmarks/tools.py` is the benchmark itself.
"""
