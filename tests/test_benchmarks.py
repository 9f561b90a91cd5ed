"""Scores of the listening benchmark: right scores, honest intervals, baselines, calibration."""

from __future__ import annotations

import mir_eval
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from llark_py.benchmarks.baselines import (
    chance_rows,
    constant_rows,
    key_by_profiles,
    librosa_answers,
)
from llark_py.benchmarks.clips import (
    CONDITIONS,
    FIRST_SEED,
    Clip,
    compose_clips,
    compose_voices,
    is_sung,
    make_sounds,
    sound_of,
)
from llark_py.benchmarks.estimates import Draws, Estimate
from llark_py.benchmarks.questions import balanced_families, clip_item
from llark_py.benchmarks.reliability import reliability
from llark_py.benchmarks.scores import ALL_FAMILIES, score, score_rows
from llark_py.benchmarks.sections import boundary_f, evenly_spaced, score_entrances, score_forms
from llark_py.benchmarks.table import score_table
from llark_py.compose.instruments import FAMILIES
from llark_py.compose.sounds import SOUNDS
from llark_py.compose.styles import STYLES
from llark_py.theory import KEYS


@pytest.fixture(scope="module")
def clips():
    return compose_clips(12, "timgm", 2.0, "mixed")


def row(fact, truth, answer=None, /, **more):
    spoken = isinstance(answer, str) and fact not in ("key", "tonic", "tempo")
    kind = {"answer" if spoken else "value": answer}
    return {"set": "clips", "id": "a", "condition": "audio", "fact": fact, "truth": truth} | (
        kind | more
    )


# --- clips ------------------------------------------------------------------------------------


def test_skipped_clips_are_other_clips_of_the_same_row(clips):
    later = compose_clips(2, "timgm", 2.0, "mixed", skip=4)
    assert [clip.track for clip in later] == [clip.track for clip in clips[4:6]]


def test_styles_and_families_take_turns():
    free = compose_clips(len(FAMILIES), "timgm", 2.0, "free")
    missing = [f for f, c in zip(FAMILIES, free, strict=True) if f not in c.track.families]
    assert len(missing) <= 1 and not any(clip.track.genre for clip in free)
    own = compose_clips(6, "timgm", 2.0, "own")
    named = [(s, c.track.genre) for s, c in zip(STYLES, own, strict=False) if c.track.genre]
    assert named and all(style == genre for style, genre in named)


def test_every_second_voice_clip_is_sung_and_sounds_are_no_music():
    assert [is_sung(c.track) for c in compose_voices(4, "timgm", 4.0)] == [True, False] * 2
    assert [c.track.sound for c in make_sounds(1, 1.0)] == list(SOUNDS)


def test_controls_hold_nothing_of_the_clip(clips):
    own = sound_of(clips, 0, "audio").samples
    assert not sound_of(clips, 0, "silence").samples.any()
    others = {id(sound_of(clips, i, "other clip")) for i in range(12)}
    assert others == {id(clip.audio) for clip in clips}
    assert all(sound_of(clips, i, "other clip") is not clips[i].audio for i in range(12))
    noise = sound_of(clips, 0, "noise").samples
    assert abs(np.corrcoef(own, noise)[0, 1]) < 0.05
    assert np.array_equal(noise, sound_of(clips, 0, "noise").samples)
    assert set(CONDITIONS) == {"audio", "noise", "silence", "other clip"}


def test_evaluation_clips_are_far_from_training_seeds():
    from llark_py.training.recipe import ClipSettings
    from llark_py.training.shards import DEV_SEED

    assert ClipSettings().n < DEV_SEED < FIRST_SEED - 100_000_000


def test_every_family_is_asked_for_as_often_where_it_plays_as_where_it_does_not(clips):
    items = [clip_item(clip) for clip in clips]
    drawn = balanced_families(items, 0)
    assert drawn == balanced_families(items, 0) != balanced_families(items, 1)
    for family in FAMILIES:
        sides = [present for _, asked, present in drawn if asked == family]
        assert sum(sides) * 2 == len(sides)
    assert all((f in items[i].facts["instruments"]) == present for i, f, present in drawn)


# --- intervals --------------------------------------------------------------------------------


def test_an_interval_holds_the_score_and_narrows_with_more_recordings():
    rng = np.random.default_rng(0)
    few, many = (rng.random(n) < 0.7 for n in (40, 4000))
    a, b = (Draws(range(len(x))).mean(x) for x in (few, many))
    assert a.low <= a.value <= a.high and a.value == few.mean() and a.n == 40
    assert b.high - b.low < 0.25 * (a.high - a.low)
    # The normal approximation of a proportion.
    assert b.high - b.low == pytest.approx(2 * 1.96 * np.sqrt(0.21 / 4000), rel=0.15)
    assert Draws(range(40)).mean(few) == a


def test_answers_about_one_recording_are_drawn_together():
    hits = [True, False] * 50
    apart, together = Draws(range(100)), Draws([i // 2 for i in range(100)])
    assert together.mean(hits).high - together.mean(hits).low == 0.0
    assert apart.mean(hits).high - apart.mean(hits).low > 0.1


def test_macro_scores_equal_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    truth, said = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    draws = Draws(range(200), 0)
    ours = draws.class_mean(truth == said, list(truth))
    assert ours.value == pytest.approx(balanced_accuracy_score(truth, said))
    true, named = rng.random((200, 5)) < 0.3, rng.random((200, 5)) < 0.4
    found = draws.f1(named, true)
    for how in ("micro", "macro"):
        assert found[how].value == pytest.approx(f1_score(true, named, average=how))
    each = f1_score(true, named, average=None)
    assert found["lowest"].value == pytest.approx(min(each))
    assert found["3"].value == pytest.approx(each[3])
    groups = [f"family {i % 3}" for i in range(200)]
    sides = true[:, 0]
    hits = named[:, 0] == sides
    by_group = [balanced_accuracy_score(sides[i::3], named[i::3, 0]) for i in range(3)]
    assert draws.balanced_by_group(hits, sides, groups).value == pytest.approx(np.mean(by_group))


# --- scores -----------------------------------------------------------------------------------


def rows_of(clips, *, right: bool) -> list[dict]:
    rows = []
    for i, clip in enumerate(clips):
        facts, track = clip_item(clip).facts, clip.track
        said = {
            "style": facts.get("style"),
            "instruments": ", ".join(n.name for n in track.instruments),
            "time_signature": facts["time_signature"],
            "tempo": facts["tempo"] * 2,
            "key": facts.get("key"),
        }
        wrong = {"tempo": None, "key": None}
        rows += [
            row(f, t, said[f] if right else wrong.get(f, "I cannot tell."), id=str(i))
            for f, t in facts.items()
        ]
    for i, family, present in balanced_families([clip_item(c) for c in clips], 0):
        answer = ("Yes." if present else "No.") if right else "Perhaps."
        rows.append(row("yes_no", present, answer, id=str(i), asked=family))
    return rows


def test_true_answers_score_one_and_a_doubled_tempo_only_acc2(clips):
    scores = {name: e.value for name, e in score(rows_of(clips, right=True), 20).items()}
    assert scores.pop("tempo_acc1") == 0.0 == scores.pop("unparsed")
    assert set(scores.values()) == {1.0}, scores
    assert {"key_mirex", "mode", "style_macro", "family_lowest_f1", "yes_no_macro"} <= set(scores)


def test_unreadable_answers_count_as_wrong(clips):
    scores = {name: e.value for name, e in score(rows_of(clips, right=False), 20).items()}
    assert scores.pop("unparsed") > 0.8
    assert not any(scores.values()), scores


def test_the_lowest_family_is_not_hidden_by_the_others():
    rows = [row("instruments", ["bass", "brass"], "I hear electric bass.", id=str(i)) for i in "ab"]
    scores = score(rows, 10)
    assert (scores["f1 bass"].value, scores["f1 brass"].value) == (1.0, 0.0)
    assert scores["family_macro_f1"].value == 0.5 and scores["family_lowest_f1"].value == 0.0
    assert scores["family_recall"].value == 0.5 and set(FAMILIES) <= set(ALL_FAMILIES)


def test_sounds_and_music_are_scored_apart_and_by_kind():
    rows = [
        row("not_music", True, "I hear only noise.", id="n", kind="noise"),
        row("not_music", True, "Yes, this is music.", id="t", kind="tone"),
        row("not_music", False, "Yes.", id="m", kind="music"),
        row("vocals", True, "Yes.", id="m"),
        row("vocals", False, "Yes.", id="n"),
    ]
    scores = {name: e.value for name, e in score(rows, 10).items()}
    assert (scores["not_music"], scores["music"], scores["not_music_balanced"]) == (0.5, 1.0, 0.75)
    assert (scores["not music: noise"], scores["not music: tone"]) == (1.0, 0.0)
    assert scores["vocals"] == 0.5


def test_a_tonic_alone_is_enough_where_the_mode_is_unknown():
    assert score([row("tonic", "F", "F minor")], 5)["tonic"].value == 1.0
    assert score([row("tonic", "F", None)], 5)["tonic"].value == 0.0


def test_constant_answers_and_chance_know_nothing_of_the_clip(clips):
    found = score_rows(rows_of(clips, right=True), 20)["clips"]
    for name in ("key", "style", "family_f1", "time_signature_macro"):
        assert found["constant"][name].value < found["audio"][name].value
    assert found["constant"]["yes_no_macro"].value == 0.5
    assert found["chance"]["key"].value < 0.6


def test_the_best_constant_tempo_is_the_commonest():
    rows = [row("tempo", t, 0.0, id=str(t)) for t in (100.0, 101.0, 102.0, 160.0)]
    constant = constant_rows(rows)
    assert score(constant, 5)["tempo_acc1"].value == 0.75
    drawn = chance_rows(rows)
    assert sorted(r["value"] for r in drawn) == [100.0, 101.0, 102.0, 160.0]


# --- librosa ----------------------------------------------------------------------------------


def test_key_profiles_find_every_key_from_its_own_scale():
    scales = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
    for i, key in enumerate(KEYS):
        chroma = np.full(12, 0.1)
        mode = "major" if i < 12 else "minor"
        chroma[[(i + step) % 12 for step in scales[mode]]] = 0.7
        chroma[i % 12], chroma[(i + 7) % 12] = 1.2, 1.0
        assert key_by_profiles(chroma) == key


def test_librosa_hears_a_click_track_and_nothing_in_silence(clips):
    rate, bpm = 22_050, 120.0
    samples = np.zeros(rate * 6, np.float32)
    for beat in range(12):
        at = int(beat * 60 / bpm * rate)
        samples[at : at + 400] = np.hanning(400) * np.sin(np.arange(400) * 0.3)
    audio = clips[0].audio.__class__(samples, rate)
    said = librosa_answers(audio)
    assert abs(said["librosa"]["tempo"] / bpm - 1) < 0.04
    assert abs(said["librosa beats"]["tempo"] / bpm - 1) < 0.04
    assert librosa_answers(audio.__class__(np.zeros(rate * 2, np.float32), rate)) == {}


# --- sections, reliability, table ---------------------------------------------------------------


def test_boundaries_are_scored_as_mir_eval_does_without_the_ends():
    assert boundary_f([20, 40], [21, 43.5], 60) == pytest.approx(0.5)
    assert boundary_f([20, 40], [], 60) == 0.0 and boundary_f([], [], 60) == 1.0
    reference, guess = np.array([[0, 20], [20, 60.0]]), np.array([[0, 22], [22, 60.0]])
    *_, f = mir_eval.segment.detection(reference, guess, window=3.0, trim=True)
    assert boundary_f([20], [22], 60) == f == 1.0
    assert evenly_spaced(3, 80.0) == [20.0, 40.0, 60.0]


def test_forms_and_entrances_are_read_from_words_or_values():
    form = {"id": "a", "truth": [20.0, 40.0], "duration_s": 60.0}
    rows = [{**form, "answer": "Intro to 0:20, verse to 0:41."}, {**form, "value": []}]
    assert score_forms(rows, [], Draws(["a", "b"], 5))["form_f"].value == 0.5
    when = {"id": "a", "truth": 32.0}
    rows = [{**when, "answer": a} for a in ("At 0:30.", "At 40 s.", "I cannot say.")]
    rows.append({**when, "value": None})
    assert score_entrances(rows, [], Draws("abcd", 5))["entrance_3s"].value == 0.25


def test_reliability_of_honest_and_of_boastful_confidence():
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    honest = reliability(p, rng.random(20_000) < p)
    assert honest["ece"] < 0.02 and sum(b["n"] for b in honest["bins"]) == 20_000
    boastful = reliability([0.95] * 100, [True] * 50 + [False] * 50)
    assert boastful["ece"] == pytest.approx(0.45) and len(boastful["bins"]) == 1
    assert reliability([1.0, 0.0], [True, False])["ece"] == 0.0


def test_table_has_a_column_for_each_condition_and_intervals_in_the_first():
    scores = {"audio": {"key": Estimate(0.9, 0.85, 0.95, 10)}, "constant": {"mode": 0.1}}
    assert score_table(scores).splitlines() == [
        "| | audio | constant |",
        "|---|---|---|",
        "| key | 0.900 [0.850, 0.950] | - |",
        "| mode | - | 0.100 |",
    ]


def test_a_clip_is_asked_only_what_is_known_of_it(clips):
    track = clips[0].track.model_copy(update={"genre": None, "key": None})
    facts = clip_item(Clip(track, clips[0].audio)).facts
    assert {"style", "key"}.isdisjoint(facts) and "tempo" in facts
