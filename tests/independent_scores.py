"""What answers should score, computed without our code: by metric libraries or by the definition.

Every function takes the right values and the values that were said, in one order, and gives the
scores by the names that the benchmarks have.
"""

from __future__ import annotations

from collections.abc import Sequence

import mir_eval
import numpy as np
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import corpus_bleu, sentence_chrf
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score
from sklearn.preprocessing import MultiLabelBinarizer

# Sharps and flats that are one key on a piano.
_FLATS = {"C#": "Db", "D#": "Eb", "F#": "Gb", "G#": "Ab", "A#": "Bb"}


def keys(right: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    """MIREX's weighted score by mir_eval; equality."""
    names = [[_flat(key) for key in of] for of in (right, said)]
    weighted = [mir_eval.key.weighted_score(r, s) for r, s in zip(*names, strict=True)]
    return {"mirex": np.mean(weighted), "acc": accuracy_score(*names)}


def _flat(key: str) -> str:
    tonic, mode = key.split()
    return f"{_FLATS.get(tonic, tonic)} {mode}"


def tempi(right: Sequence[float], said: Sequence[float]) -> dict[str, float]:
    """Acc1 and Acc2 by the definition of Gouyon et al. (2006)."""
    near = [
        [abs(tempo - true * factor) <= 0.04 * true * factor for factor in (1, 2, 3, 1 / 2, 1 / 3)]
        for true, tempo in zip(right, said, strict=True)
    ]
    return {"acc1": np.mean([row[0] for row in near]), "acc2": np.mean([any(r) for r in near])}


def labels(right: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    """Accuracy by scikit-learn."""
    return {"acc": accuracy_score(right, said)}


def sets(right: Sequence[frozenset[str]], said: Sequence[frozenset[str]]) -> dict[str, float]:
    """F1 in four ways, precision and recall by scikit-learn; macro over the labels that occur."""
    every = MultiLabelBinarizer().fit([*right, *said])
    true, guess = every.transform(right), every.transform(said)
    occurring = np.flatnonzero(true.any(0))
    scores = {"f1": f1_score, "precision": precision_score, "recall": recall_score}
    mean = {n: of(true, guess, average="samples", zero_division=0) for n, of in scores.items()}
    micro = f1_score(true, guess, average="micro", zero_division=0)
    macro = f1_score(true[:, occurring], guess[:, occurring], average="macro", zero_division=0)
    return {**mean, "micro_f1": micro, "macro_f1": macro}


def captions(right: Sequence[tuple[str, ...]], said: Sequence[str]) -> dict[str, float]:
    """ROUGE-L by rouge-score (the best of several captions), chrF and BLEU by sacrebleu."""
    rouge = RougeScorer(["rougeL"])
    best = [
        max(rouge.score(one, text)["rougeL"].fmeasure for one in refs)
        for refs, text in zip(right, said, strict=True)
    ]
    chrf = [sentence_chrf(text, refs).score for refs, text in zip(right, said, strict=True)]
    most = max(map(len, right))
    streams = [[refs[i] if i < len(refs) else None for refs in right] for i in range(most)]
    bleu = corpus_bleu(list(said), streams).score
    return {"rouge_l": np.mean(best), "chrf": np.mean(chrf) / 100, "bleu": bleu / 100}


def choices(right: Sequence[int], said: Sequence[int]) -> dict[str, float]:
    """Accuracy by scikit-learn."""
    return {"acc": accuracy_score(right, said)}


SCORES = {
    "giantsteps_key": keys,
    "giantsteps_tempo": tempi,
    "gtzan_genre": labels,
    "jamendo_tags": sets,
    "medleydb_instruments": sets,
    "mmau_music": choices,
    "muchomusic": choices,
    "musiccaps": captions,
    "musicnet_instruments": sets,
    "rul_muchomusic": choices,
    "song_describer": captions,
}
