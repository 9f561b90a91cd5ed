"""Sections: novelty finds where two sounds meet, letters tell them apart, names are earned."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from song_parts import RATE, song_encoder, tune

from llark_py.analysis.structure import measure_structure
from llark_py.audio import Audio
from llark_py.benchmarks.sections import boundary_f
from llark_py.encoders.mini_sections import (
    find_novelty,
    find_sections,
    group_sections,
    name_sections,
    pick_boundaries,
)
from llark_py.errors import ToolError

FRAME_RATE = 2.0


def song(order, lengths_s, seed=0, noise=0.3):
    """Make features (frames, 8) and levels of parts given by letters."""
    rng = np.random.default_rng(seed)
    sounds = {letter: rng.normal(0, 1, 8) for letter in sorted(set(order))}
    rows = [
        sounds[letter] + rng.normal(0, noise, (int(length * FRAME_RATE), 8))
        for letter, length in zip(order, lengths_s, strict=True)
    ]
    return np.concatenate(rows), np.ones(sum(map(len, rows)))


def test_novelty_peaks_where_two_sounds_meet():
    rows, _ = song("AB", [30, 30])
    novelty = find_novelty([rows], FRAME_RATE)
    assert abs(int(novelty.argmax()) - 60) <= 1 and novelty.max() > 0.3
    assert abs(novelty[25:40]).max() < 0.1


def test_sections_are_found_and_lettered():
    order, lengths = "ABABC", [16, 20, 14, 22, 18]
    rows, level = song(order, lengths)
    sections = find_sections([rows, rows], level, FRAME_RATE)
    edges = np.cumsum([0, *lengths])
    starts = [section.start_s for section in sections[1:]]
    assert [section.label for section in sections] == list(order)
    assert boundary_f(edges[1:-1], starts, 90.0) == 1.0
    assert sections[0].start_s == 0 and sections[-1].end_s == 90
    assert all(a.end_s == b.start_s for a, b in pairwise(sections))
    boundaries = np.array(edges[1:-1] * FRAME_RATE, int)
    assert "".join(group_sections([rows], boundaries)) == order


def test_no_change_is_one_section():
    times = np.arange(160) / FRAME_RATE
    steady = np.stack([np.sin(2 * np.pi * times), np.cos(2 * np.pi * times)], 1)
    assert [s.label for s in find_sections([steady], times * 0, FRAME_RATE)] == ["A"]
    assert find_sections([steady[:20]], times[:20], FRAME_RATE) == ((0.0, 10.0, "A"),)


def test_a_boundary_head_counts():
    rows, level = song("A", [60])
    head = np.zeros(120)
    head[59:62] = 1.0
    sections = find_sections([rows], level, FRAME_RATE, boundary=head)
    assert any(abs(s.start_s - 30) <= 1 for s in sections[1:])


def test_of_two_peaks_too_close_the_higher_one_counts():
    novelty = np.zeros(100)
    novelty[[40, 47, 70]] = [0.5, 0.6, 0.1]
    assert pick_boundaries(novelty, FRAME_RATE, threshold=0.2).tolist() == [47]
    assert pick_boundaries(novelty, FRAME_RATE, threshold=0.05).tolist() == [47, 70]


def test_names_are_given_where_they_can_be_told():
    levels = np.array([0.2, 0.5, 0.9, 0.5, 0.9, 0.3])
    lengths = np.array([6.0, 20, 20, 20, 20, 5])
    named = name_sections(list("ABCBCA"), lengths, levels)
    assert named == ["intro", "A", "chorus", "A", "chorus", "outro"]
    loud = name_sections(list("ABCBCA"), lengths, np.array([1.3, 0.5, 0.9, 0.5, 0.9, 1.3]))
    assert (loud[0], loud[-1]) == ("chorus", "chorus")  # short, but louder than the rest
    continued = name_sections(list("AABABB"), lengths, levels)
    assert "intro" not in continued and "outro" not in continued
    assert name_sections(list("ABCD"), np.ones(4) * 9, np.ones(4)) == ["A", "B", "C", "D"]
    assert name_sections(["A", "B"], np.array([3.0, 30]), np.array([0.1, 1])) == ["A", "B"]


def test_structure_of_a_recording_is_measured_through_the_encoder():
    from llark_py.analysis.listening import hearing_with

    encoder = song_encoder()
    samples = np.concatenate([tune(20.0), tune(20.0)[::-1] * 0.2])
    audio = Audio(samples, RATE)
    with hearing_with(encoder), pytest.MonkeyPatch.context() as patch:
        patch.setattr("llark_py.analysis.structure.check_music", lambda posteriors: None)
        structure = measure_structure(audio)
        assert structure.sections[0].start_s == 0 and structure.sections[-1].end_s == 40
        with pytest.raises(ToolError, match="shorter than 20 seconds"):
            measure_structure(Audio(tune(10.0), RATE))
