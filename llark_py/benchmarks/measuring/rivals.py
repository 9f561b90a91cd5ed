"""What others measure: librosa, Laplacian segmentation, Basic Pitch, onsets in bands.

Each is used as its authors or its library's users do, to be set beside our tools.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from llark_py.audio import Audio
from llark_py.benchmarks.transcription import plain_basic_pitch
from llark_py.librosa_import import load_librosa
from llark_py.theory import SHARP_NAMES

from .facts import note_facts

LIBROSA, LAPLACIAN, BASIC_PITCH, BANDS = "librosa", "laplacian", "basic pitch", "band onsets"
_SAMPLE_RATE, _HOP = 22_050, 512
_BEATS_A_BAR = 4
_STAY = 0.9
_SECTIONS = 4
_SMOOTH = 9  # frames of the median filter along the diagonals, as in librosa's example
# Kick, snare and hi-hat by where their strokes are strongest, in Hz.
_DRUM_BANDS = {"kick": (30, 120), "snare": (150, 3000), "closed hi-hat": (6000, 10_000)}


def _mono(audio: Audio) -> np.ndarray:
    return audio.mono().resample(_SAMPLE_RATE).samples


def librosa_beats(audio: Audio) -> tuple[list[float], list[float]]:
    """Beats by `librosa.beat.beat_track` (Ellis, 2007); every fourth one a downbeat."""
    librosa = load_librosa()

    _, beats = librosa.beat.beat_track(y=_mono(audio), sr=_SAMPLE_RATE, units="time")
    times = [round(float(t), 3) for t in beats]
    return times, times[::_BEATS_A_BAR]


def librosa_chords(audio: Audio) -> list[list[Any]]:
    """Major and minor triads by template on `chroma_cqt`, smoothed by Viterbi decoding."""
    librosa = load_librosa()

    chroma = librosa.feature.chroma_cqt(y=_mono(audio), sr=_SAMPLE_RATE, hop_length=_HOP)
    triads = [[0, 4, 7], [0, 3, 7]]
    templates = np.zeros((24, 12))
    for i in range(24):
        templates[i, (np.array(triads[i // 12]) + i % 12) % 12] = 1.0
    fit = templates / np.linalg.norm(templates, axis=1, keepdims=True) @ chroma
    odds = np.exp(10 * fit / np.maximum(np.linalg.norm(chroma, axis=0), 1e-6))
    path = librosa.sequence.viterbi_discriminative(
        odds / odds.sum(0), librosa.sequence.transition_loop(24, _STAY)
    )
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1), len(path)]
    seconds = librosa.frames_to_time(np.array(edges), sr=_SAMPLE_RATE, hop_length=_HOP)
    seconds[-1] = max(seconds[-1], audio.duration_s)
    return [
        [round(float(a), 3), round(float(b), 3), _triad(int(path[first]))]
        for (a, b), first in zip(pairwise(seconds), edges, strict=False)
    ]


def _triad(number: int) -> str:
    return f"{SHARP_NAMES[number % 12]}:{'maj' if number < 12 else 'min'}"


def band_onsets(audio: Audio) -> list[list[Any]]:
    """Drum strokes as onsets in three bands of the percussive part: [time, piece]."""
    librosa = load_librosa()

    percussive = librosa.effects.percussive(_mono(audio))
    hits: list[list[Any]] = []
    for piece, (low, high) in _DRUM_BANDS.items():
        mel = librosa.feature.melspectrogram(
            y=percussive, sr=_SAMPLE_RATE, hop_length=_HOP // 2, fmin=low, fmax=high, n_mels=8
        )
        strength = librosa.onset.onset_strength(S=librosa.power_to_db(mel), sr=_SAMPLE_RATE)
        times = librosa.onset.onset_detect(
            onset_envelope=strength, sr=_SAMPLE_RATE, hop_length=_HOP // 2, units="time"
        )
        hits += [[round(float(t), 3), piece] for t in times]
    return sorted(hits)


def basic_pitch_notes(audio: Audio) -> list[list[float]]:
    """Notes as the package of Basic Pitch writes them (Bittner et al., ICASSP 2022)."""
    return note_facts(sorted(plain_basic_pitch(audio)))


def laplacian_sections(audio: Audio) -> list[list[Any]]:
    """Sections by Laplacian segmentation (McFee and Ellis, ISMIR 2014) on librosa's features.

    Beats by `beat_track`, recurrence of the constant-Q spectrum, path of the MFCC; four clusters.
    """
    librosa = load_librosa()
    import scipy.ndimage
    import scipy.sparse.csgraph
    from sklearn.cluster import KMeans

    y = _mono(audio)
    cqt = librosa.amplitude_to_db(np.abs(librosa.cqt(y=y, sr=_SAMPLE_RATE, n_bins=84)), ref=np.max)
    _, beats = librosa.beat.beat_track(y=y, sr=_SAMPLE_RATE, trim=False)
    beats = librosa.util.fix_frames(beats, x_min=0).tolist()
    timbre = librosa.util.sync(librosa.feature.mfcc(y=y, sr=_SAMPLE_RATE), beats)
    tones = librosa.util.sync(cqt, beats, aggregate=np.median)
    repeats = librosa.segment.recurrence_matrix(tones, width=3, mode="affinity", sym=True)
    repeats = librosa.segment.timelag_filter(scipy.ndimage.median_filter)(
        repeats, size=(1, _SMOOTH)
    )
    steps = np.sum(np.diff(timbre, axis=1) ** 2, axis=0)
    along = np.exp(-steps / max(float(np.median(steps)), 1e-9))
    chain = np.diag(along, k=1) + np.diag(along, k=-1)
    degree_path, degree_rec = chain.sum(1), repeats.sum(1)
    both = degree_path + degree_rec
    mu = degree_path.dot(both) / max(float((both**2).sum()), 1e-9)
    graph = scipy.sparse.csgraph.laplacian(mu * repeats + (1 - mu) * chain, normed=True)
    _, vectors = np.linalg.eigh(graph)
    vectors = scipy.ndimage.median_filter(vectors, size=(_SMOOTH, 1))[:, :_SECTIONS]
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    labels = KMeans(n_clusters=_SECTIONS, n_init=10, random_state=0).fit_predict(vectors)
    times = [*librosa.frames_to_time(beats[: len(labels)], sr=_SAMPLE_RATE), audio.duration_s]
    edges = [0, *(np.flatnonzero(np.diff(labels)) + 1), len(labels)]
    return [
        [round(float(times[a]), 3), round(float(times[b]), 3), str(labels[a])]
        for a, b in pairwise(edges)
    ]
