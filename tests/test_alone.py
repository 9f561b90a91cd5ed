"""One player of a piece alone."""

from __future__ import annotations

import numpy as np
import pytest

from llark_py.compose.alone import leave_alone
from llark_py.compose.clip import make_clip, score_track
from llark_py.compose.score import compose
from llark_py.training.recipe import ClipSettings
from llark_py.training.shards import draw_alone, make_shards, plan_shards

SEEDS = range(120)


@pytest.fixture(scope="module")
def pieces():
    return [(score, leave_alone(score)) for score in (compose(seed, 10.0) for seed in SEEDS)]


def test_one_instrument_is_left_with_all_that_it_plays(pieces):
    for score, left in pieces:
        names = {part.instrument for part in left.parts}
        if left is score:
            continue
        assert len(names) == 1
        assert left.parts == tuple(p for p in score.parts if p.instrument in names)
        assert left.beats_s == score.beats_s and left.tempo_bpm == score.tempo_bpm
        assert left == leave_alone(score)
    assert len({p.instrument for _, left in pieces for p in left.parts}) > 15


def test_of_what_the_others_told_nothing_is_known(pieces):
    tracks = [score_track(left) for score, left in pieces if left is not score]
    assert all(t.genre is None and t.feel is None and not t.sections for t in tracks)
    drums = [t for t in tracks if t.families == ("drums",)]
    assert drums and all(t.key is None and not t.chords and t.mood is None for t in drums)
    lines = [t for t in tracks if t.families in (("bass",), ("voice",))]
    assert lines and all(t.key is None and not t.chords for t in lines)
    assert any(t.chords and t.key for t in tracks)


def test_a_singer_is_mostly_the_one():
    pieces = [leave_alone(compose(seed, 10.0, sung=True)) for seed in range(60)]
    sung = [p for p in pieces if {x.instrument for x in p.parts} == {"singer"}]
    assert 30 < len(sung) < 60
    assert all(score_track(p).words for p in sung)


def test_a_clip_of_one_player_sounds_as_its_facts_say():
    track, audio = make_clip(7, 6.0, augment=False, alone=True, sung=True)
    whole, _ = make_clip(7, 6.0, augment=False, sung=True)
    assert len(track.instruments) == 1 < len(whole.instruments)
    assert track.instruments[0] in whole.instruments
    name = track.instruments[0].name
    assert track.notes == tuple(n for n in whole.notes if n.instrument == name)
    rms = np.sqrt(np.mean(audio.samples**2))
    assert rms > 0.01


def test_shares_of_clips_are_drawn_from_their_seeds_and_the_watched_stay_whole(tmp_path):
    drawn = [draw_alone(seed, 0.2) for seed in range(3000)]
    assert abs(sum(alone for alone, _ in drawn) / 3000 - 0.2) < 0.03
    assert {sung for alone, sung in drawn if not alone} == {None}
    sung = [sung for alone, sung in drawn if alone]
    assert abs(sung.count(True) / len(sung) - 0.35) < 0.07
    settings = ClipSettings(
        n=8, n_dev=4, seconds=9.0, soundfonts=["timgm"], shard_size=8, workers=1, not_music=0.0,
        alone=1.0,
    )  # fmt: skip
    assert [(j.alone, j.recoloured) for j in plan_shards(settings, tmp_path)] == [(1, 0), (0, 0)]
    make_shards(settings, tmp_path)
    lines = (tmp_path / "train_00000.jsonl").read_text().splitlines()
    assert len(lines) == 8 and sum('"genre":null' in line for line in lines) == 8
