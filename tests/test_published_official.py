"""Blind rows on the official files of others, where they are given: their known figures come out.

The files are not shipped. `LLARK_PUBLISHED_DATA` names the folder that `llark evaluate --data`
would be given; without it, `published` in the folder of shared data beside the repository is looked
at. Each test says what to get and where to put it, and is skipped until it is there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from llark_py import catalog
from llark_py.cli import main

FOLDER = "LLARK_PUBLISHED_DATA"
DEFAULT = Path(__file__).parents[2] / "shared" / "published"


def blind_rows(name, file, out):
    """Scores of the rows without a model, in percent; skips where the official file is missing."""
    root = Path(os.environ.get(FOLDER, DEFAULT))
    if not (root / name / file).is_file():
        source = catalog.load("benchmarks.published", name).TASK.source
        pytest.skip(
            f"no {root / name / file}. {source} No sound is needed here. Put {file} into"
            f" FOLDER/{name} and set {FOLDER}=FOLDER"
        )
    arguments = ["--data", str(root), "--out", str(out), "--model", "blind", "--no-plots"]
    assert main(["evaluate", name, *arguments]) == 0
    [path] = out.glob("results_*.json")
    results = json.loads(path.read_text())
    rows = {
        row.removeprefix(f"{name}/"): 100 * scores["acc,none"]
        for row, scores in results["results"].items()
    }
    return rows, results["n-samples"][name]["original"]


def test_the_shortest_option_of_rul_muchomusic_is_right_in_41_percent(tmp_path):
    rows, n = blind_rows("rul_muchomusic", "RUL-MuchoMusic.json", tmp_path)
    assert n == 4 * 1187
    assert rows["shortest"] == pytest.approx(40.9, abs=0.1)
    assert rows["random"] == pytest.approx(25.0)


def test_the_longest_option_of_mmau_about_music_is_right_in_40_percent(tmp_path):
    rows, n = blind_rows("mmau_music", "mmau-test-mini.json", tmp_path)
    assert n == 334
    assert rows["longest"] == pytest.approx(40.3, abs=0.1)
    # The letter B: 134 of 334.
    assert rows["most_frequent"] == pytest.approx(100 * 134 / 334)
