"""Seeds in published results: whatever is drawn can be drawn again by what is written there."""

from __future__ import annotations

import json
import random
import zlib

import numpy as np
import pytest
from published_data import make

from llark_py import catalog
from llark_py.benchmarks.clips import NOISE_LEVEL
from llark_py.benchmarks.qa.asking import InTurn, Said
from llark_py.benchmarks.qa.results import write_results
from llark_py.benchmarks.qa.run import Plan, ask_task, score_blindly
from llark_py.benchmarks.qa.sounds import Sounds
from llark_py.theory import KEYS

NAMES = catalog.names("benchmarks.published")


def seeds_of(name, root):
    root = make(name, root)
    run = score_blindly(catalog.load("benchmarks.published", name).TASK, Plan(root))
    found = json.loads(write_results([run], {"model": "blind"}, root, 1.0).read_text())
    return run, found["seeds"][name]


def test_bootstrap_and_options_are_drawn_by_the_seeds_in_the_results(tmp_path):
    run, seeds = seeds_of("muchomusic", tmp_path)
    for number, question in enumerate(run.questions):
        order = list(range(4))
        random.Random(seeds["options"].format(number=number)).shuffle(order)
        assert order.index(0) == question.target
    estimate = run.table["shortest"]["none"].scores["acc"]
    groups = list(dict.fromkeys(q.group for q in run.questions))
    n = len(groups)
    drawn = np.random.default_rng(seeds["bootstrap"]).multinomial(n, [1 / n] * n, 1000)
    hits = [one["acc"] for one in run.table["shortest"]["none"].each]
    members = [
        [hit for hit, q in zip(hits, run.questions, strict=True) if q.group == g] for g in groups
    ]
    sums, sizes = np.array([sum(m) for m in members]), np.array([len(m) for m in members])
    means = (drawn @ sums) / (drawn @ sizes)
    assert [estimate.low, estimate.high] == pytest.approx(np.percentile(means, [2.5, 97.5]))


def test_options_of_rul_are_drawn_by_the_seed_in_the_results(tmp_path):
    run, seeds = seeds_of("rul_muchomusic", tmp_path)
    for question in run.questions:
        item, left_out = question.id.split("/")
        order = list(range(4))
        random.Random(seeds["options"].format(item=item, left_out=left_out)).shuffle(order)
        assert order.index(0) == question.target


def test_guesses_are_drawn_by_the_seeds_in_the_results(tmp_path):
    run, seeds = seeds_of("giantsteps_key", tmp_path)
    rng = random.Random(seeds["any key"])
    assert run.table["any key"]["none"].values == [rng.choice(KEYS) for _ in run.questions]
    order = list(range(4))
    random.Random(seeds["random"]).shuffle(order)
    after = dict(zip(order, order[1:] + order[:1], strict=True))
    targets = ["F minor", "F minor", "C major", "D# minor"]
    found = [value.replace("Eb", "D#") for value in run.table["random"]["none"].values]
    assert found == [targets[after[i]] for i in range(4)]


@pytest.mark.parametrize("name", NAMES)
def test_every_task_tells_the_seeds_of_all_that_it_draws(tmp_path, name):
    run, seeds = seeds_of(name, tmp_path)
    assert seeds["bootstrap"] == 20260101 and "CRC-32" in seeds["noise"]
    drawn = {row for row in ("random", "any key") if row in run.table}
    if run.questions[0].options and isinstance(run.questions[0].target, int):
        drawn = {"options"} - ({"options"} if name == "mmau_music" else set())
    assert drawn <= set(seeds)
    assert ("bootstrap of bleu" in seeds) == run.task.has_captions


def test_noise_is_drawn_by_the_seed_in_its_sample(tmp_path):
    root = make("giantsteps_key", tmp_path / "data")

    class Silent(InTurn):
        settings = {"model": "silent", "tools": []}

        def answer(self, prompt, audio):
            return Said("")

    task = catalog.load("benchmarks.published", "giantsteps_key").TASK
    run, _ = ask_task(task, Plan(root, tmp_path), Silent())
    lines = (tmp_path / "samples_giantsteps_key.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if row["condition"] == "noise"]
    assert [row["noise_seed"] for row in rows] == [zlib.crc32(q.id.encode()) for q in run.questions]
    heard = Sounds(run.questions).sound(run.questions[2], "noise")
    wanted = np.random.default_rng(rows[2]["noise_seed"]).normal(0, NOISE_LEVEL, heard.n_samples)
    assert np.allclose(heard.samples, wanted, atol=1e-6)
