"""The singer: in tune, with vowels and consonants that sound like themselves, and true words."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from llark_py import cli
from llark_py.compose.clip import make_clip
from llark_py.compose.lyrics import Sung, Syllable, lexicon, set_words
from llark_py.compose.phonemes import CONSONANTS, VOWELS, consonant, vowel
from llark_py.compose.score import compose
from llark_py.compose.singer import RANGES, SungNote, draw_singer, sing
from llark_py.compose.vocals import sung_words
from llark_py.errors import UnknownNameError
from llark_py.track import Track, Word, crop, stretch

RATE = 16000


def held(pitch, *, vowel="AA", onset=(), start_s=0.2, end_s=1.8, velocity=100):
    return SungNote(start_s, end_s, pitch, velocity, Sung(Syllable(onset, vowel, ()), "x"))


def sound(*notes, kind="baritone", seed=0, duration_s=2.0):
    singer = draw_singer(np.random.default_rng(seed), kind)
    return sing(notes, singer, duration_s, np.random.default_rng(seed), RATE)


def spectrum(samples, start_s, end_s):
    piece = samples[round(start_s * RATE) : round(end_s * RATE)]
    power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)))) ** 2
    return np.fft.rfftfreq(len(piece), 1 / RATE), power


def share(samples, low_hz, high_hz, start_s=0.6, end_s=1.4):
    hz, power = spectrum(samples, start_s, end_s)
    return power[(hz >= low_hz) & (hz < high_hz)].sum() / power.sum()


def pitch_of(samples):
    """Find the pitch whose harmonics, and not what lies between them, hold the held note."""
    hz, power = spectrum(samples, 0.6, 1.6)
    loudness = np.sqrt(power)
    candidates = np.arange(38, 84, 0.05)
    f0 = 440 * 2 ** ((candidates - 69) / 12)
    on = sum(np.interp(f0 * k, hz, loudness) for k in range(1, 7))
    between = sum(np.interp(f0 * (k - 0.5), hz, loudness) for k in range(1, 7))
    return candidates[int(np.argmax(on - between))]


@pytest.mark.parametrize("kind", RANGES)
@pytest.mark.parametrize("seed", range(3))
def test_every_voice_is_in_tune(kind, seed):
    low, high, _ = RANGES[kind]
    for pitch in (low + 4, (low + high) // 2):
        assert pitch_of(sound(held(pitch), kind=kind, seed=seed)) == pytest.approx(pitch, abs=0.6)


def test_vowels_differ_as_in_speech():
    heard = {v: sound(held(48, vowel=v)) for v in ("IY", "AA", "UW")}
    assert share(heard["IY"], 1900, 3300) > 3 * share(heard["UW"], 1900, 3300)
    assert share(heard["AA"], 600, 1300) > 2 * share(heard["IY"], 600, 1300)


def test_a_child_has_higher_formants_than_a_man():
    man, child = (sound(held(60, vowel="AE"), kind=k) for k in ("baritone", "child"))
    assert share(child, 2100, 8000) > share(man, 2100, 8000)


def test_consonants_come_before_the_beat():
    plain = sound(held(50, start_s=0.5))
    hissed = sound(held(50, start_s=0.5, onset=("S",)))
    before = slice(round(0.42 * RATE), round(0.48 * RATE))
    assert np.sqrt(np.mean(hissed[before] ** 2)) > 8 * np.sqrt(np.mean(plain[before] ** 2))
    assert share(hissed, 3500, 8000, 0.42, 0.48) > 0.7
    stopped = sound(held(50, start_s=0.2, end_s=1.0), held(50, onset=("B",), start_s=1.0))
    assert np.std(stopped[round(0.94 * RATE) : round(0.97 * RATE)]) < 0.3 * np.std(stopped)


def test_rests_are_silent_and_notes_are_loud():
    singer = draw_singer(np.random.default_rng(1))
    samples = sing([held(60, start_s=1.0, end_s=2.0)], singer, 3.0, np.random.default_rng(1), RATE)
    assert samples.dtype == np.float32 and samples.shape == (3 * RATE,)
    level = np.sqrt(np.mean(samples[round(1.2 * RATE) : round(1.8 * RATE)] ** 2))
    assert 0.05 < level < 0.2
    assert np.abs(samples[: round(0.5 * RATE)]).max() < 1e-3
    assert np.abs(samples[round(2.3 * RATE) :]).max() < 1e-3
    assert not sing([], singer, 1.0, np.random.default_rng(1), RATE).any()


def test_loud_is_brighter_than_soft():
    loud, soft = sound(held(50, velocity=120)), sound(held(50, velocity=50))
    assert share(loud, 1500, 8000) > share(soft, 1500, 8000)


def test_the_same_seed_sings_the_same_and_others_differ():
    assert np.array_equal(sound(held(50)), sound(held(50)))
    assert not np.array_equal(sound(held(50)), sound(held(50), seed=1))


def test_every_word_can_be_sung():
    for words in lexicon().values():
        for syllables in words.values():
            assert syllables
            for syllable in syllables:
                assert vowel(syllable.vowel)
                assert all(consonant(c) for c in (*syllable.onset, *syllable.coda))
    assert "no" in lexicon()["determiner"]
    used = {c for ws in lexicon().values() for ss in ws.values() for s in ss for c in s[0] + s[2]}
    assert set(CONSONANTS) - used <= {"ZH"}
    assert {s.vowel for ws in lexicon().values() for ss in ws.values() for s in ss} == set(VOWELS)
    with pytest.raises(UnknownNameError, match="QQ"):
        consonant("QQ")


@pytest.mark.parametrize("seed", range(20))
def test_words_are_whole(seed):
    rng = random.Random(seed)
    spans, at = [], 0.0
    for _ in range(40):
        spans.append((at, at + 0.3))
        at += 0.3 + (0.6 if rng.random() < 0.2 else 0.0)
    sung = set_words(spans, rng)
    assert len(sung) == len(spans) and sung[0].word
    syllables = {word: said for words in lexicon().values() for word, said in words.items()}
    word, said = "", []
    for item in (*sung, Sung(None, "end")):
        if item.word:
            if word and item.word != "end":
                assert tuple(said) == syllables[word]
            word, said = item.word, []
        if item.syllable:
            said.append(item.syllable)


@pytest.mark.parametrize("seed", range(8))
def test_a_sung_clip_knows_its_singer_and_words(seed):
    track, audio = make_clip(seed, 6.0, "synth", sung=True)
    assert track.lead == "singer" and "voice" in track.families
    assert track.lyrics == " ".join(w.text for w in track.words)
    notes = [n for n in track.notes if n.instrument == "singer"]
    for word in track.words:
        assert 0 <= word.start_s < word.end_s <= 6.0 + 1e-6
        # A word that the excerpt cuts may have its first note before it.
        assert word.start_s == 0 or any(abs(n.start_s - word.start_s) < 1e-6 for n in notes)
    assert [w.start_s for w in track.words] == sorted(w.start_s for w in track.words)
    assert np.abs(audio.samples).max() > 0.05


def test_a_singer_changes_nothing_for_pieces_without_one():
    plain, sung = compose(3, 6.0, sung=False), compose(3, 6.0, sung=True)
    assert (plain.key, plain.tempo_bpm, plain.style) == (sung.key, sung.tempo_bpm, sung.style)
    assert not any(sung_words(part) for part in plain.parts)
    assert {p.instrument for p in plain.parts} != {p.instrument for p in sung.parts}


def test_words_move_with_the_excerpt():
    track = Track(id="t", duration_s=4.0, words=(Word(0.0, 1.0, "no"), Word(2.0, 3.0, "love")))
    assert crop(track, 1.5, 2.5).words == (Word(0.5, 1.0, "love"),)
    assert stretch(track, 2.0).words == (Word(0.0, 0.5, "no"), Word(1.0, 1.5, "love"))


def test_the_shell_composes_sung_clips(tmp_path, capsys):
    assert cli.main(["compose", str(tmp_path), "--sung", "--duration-s", "4"]) == 0
    (facts,) = tmp_path.glob("*.json")
    assert json.loads(facts.read_text())["words"]
