"""The listening benchmark: strict reading, right scores, blind controls that are blind."""

from __future__ import annotations

import numpy as np
import pytest

from llark_py.benchmarks.listening import (
    CONDITIONS,
    FIRST_SEED,
    compose_clips,
    constant_scores,
    score,
    score_rows,
    sound_of,
    yes_no_family,
)
from llark_py.benchmarks.parsing import (
    parse_families,
    parse_style,
    parse_time_signature,
    parse_yes_no,
)
from llark_py.benchmarks.table import score_table
from llark_py.compose.instruments import FAMILIES, INSTRUMENTS, family_of
from llark_py.compose.styles import STYLES


@pytest.fixture(scope="module")
def clips():
    return compose_clips(6, "timgm", seconds=2.0)


def test_skipped_clips_are_other_clips_of_the_same_row(clips):
    later = compose_clips(2, "timgm", seconds=2.0, skip=4)
    assert [clip.track for clip in later] == [clip.track for clip in clips[4:]]


def rows_of(clips, *, right: bool) -> list[dict]:
    rows = []
    for i, clip in enumerate(clips):
        track = clip.track
        family, present = yes_no_family(track, i)
        said = {
            "style": (track.genre or "jazz", track.genre),
            "instruments": (", ".join(n.name for n in track.instruments), list(track.families)),
            "time_signature": (track.time_signature, track.time_signature),
            "tempo": (track.tempo_bpm * 2, track.tempo_bpm),
            "key": (track.key, track.key),
            "yes_no": ("Yes." if present else "No.", {"family": family, "present": present}),
        }
        for fact, (answer, truth) in said.items():
            wrong = 0.0 if fact == "tempo" else None if fact == "key" else "I cannot tell."
            rows.append(
                {
                    "id": track.id,
                    "condition": "audio",
                    "fact": fact,
                    "answer": answer if right else wrong,
                    "truth": truth,
                }
            )
    return rows


def test_true_answers_score_one_and_a_doubled_tempo_only_acc2(clips):
    scores = score(rows_of(clips, right=True))
    for name in ("tempo_acc2", "key", "key_mirex", "mode", "style", "time_signature", "family_f1"):
        assert scores[name] == 1.0, name
    assert scores["tempo_acc1"] == 0.0 and scores["yes_no"] == 1.0 and scores["unparsed"] == 0.0


def test_unreadable_answers_count_as_wrong(clips):
    scores = score(rows_of(clips, right=False))
    assert not any(value for name, value in scores.items() if name != "unparsed")
    assert scores["unparsed"] == 1.0


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_instrument_is_read_as_its_own_family_alone(name):
    assert parse_families(f"I hear {name}.") == {family_of(name)}


@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_read(style):
    assert parse_style(f"It sounds like {style}.") == style


def test_an_answer_that_names_two_is_not_read():
    assert parse_style("Jazz or rock.") is None
    assert parse_time_signature("3/4 or 4/4") is None
    assert parse_time_signature("In 6/8.") == "6/8"
    assert (parse_yes_no("Yes, drums."), parse_yes_no("no"), parse_yes_no("Maybe")) == (
        True,
        False,
        None,
    )


def test_controls_hold_nothing_of_the_clip(clips):
    own = sound_of(clips, 0, "audio").samples
    assert not sound_of(clips, 0, "silence").samples.any()
    assert sound_of(clips, 0, "other clip") is clips[1].audio
    noise = sound_of(clips, 0, "noise").samples
    assert abs(np.corrcoef(own, noise)[0, 1]) < 0.05
    assert np.array_equal(noise, sound_of(clips, 0, "noise").samples)
    assert set(CONDITIONS) == {"audio", "noise", "silence", "other clip"}


def test_evaluation_clips_are_far_from_training_seeds():
    from llark_py.training.recipe import ClipSettings
    from llark_py.training.shards import DEV_SEED

    assert ClipSettings().n < DEV_SEED < FIRST_SEED - 100_000_000


def test_yes_no_questions_are_balanced(clips):
    drawn = [yes_no_family(clips[i % 6].track, i) for i in range(400)]
    assert 0.45 < np.mean([present for _, present in drawn]) < 0.55
    assert {family for family, _ in drawn} <= set(FAMILIES)


def test_constant_answers_score_no_more_than_listening(clips):
    constant, perfect = constant_scores(clips), score(rows_of(clips, right=True))
    assert all(constant[k] <= perfect[k] for k in ("key", "style", "family_f1", "yes_no"))
    assert constant["yes_no"] == 0.5


def test_table_has_a_column_for_each_condition(clips):
    scores = score_rows(rows_of(clips, right=True)) | {"constant": {"key": 0.1}}
    table = score_table(scores).splitlines()
    assert table[0] == "| | audio | constant |"
    assert "| key | 1.000 | 0.100 |" in table and "| style | 1.000 | - |" in table
