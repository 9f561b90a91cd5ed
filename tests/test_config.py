"""Settings: what YAML and overrides mean, and what the errors say."""

from __future__ import annotations

from typing import Literal

import pytest

from llark_py.config import Settings, dump_config, load_config
from llark_py.errors import ConfigError


class Optimizer(Settings):
    name: Literal["adamw", "muon"] = "adamw"
    lr: float = 3e-4
    betas: tuple[float, float] = (0.9, 0.95)


class Stage(Settings):
    steps: int
    label: str = ""
    shuffle: bool = True
    optimizer: Optimizer = Optimizer()


class Recipe(Settings):
    stages: list[Stage] = []
    named: dict[str, Stage] = {}
    evaluation: Stage | None = None
    seed: int = 0
    note: str | None = None


YAML = """
seed: 7
note: no
stages:
  - steps: 10
    label: on
    optimizer: {lr: 1e-4}
  - {steps: 1_000, shuffle: false}
"""


@pytest.fixture
def recipe_file(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(YAML)
    return path


def test_yaml_means_what_people_mean(recipe_file):
    recipe = load_config(Recipe, recipe_file)
    assert recipe.seed == 7 and recipe.note == "no"
    assert recipe.stages[0].optimizer.lr == 1e-4
    assert recipe.stages[0].label == "on"
    assert recipe.stages[1].steps == 1000 and recipe.stages[1].shuffle is False


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-4", 1e-4), ("5E3", 5000.0), ("-2.5e-1", -0.25), (".5", 0.5), ("3.", 3.0), ("2", 2.0)],
)
def test_numbers_are_numbers(text, value):
    assert load_config(Optimizer, {}, [f"lr={text}"]).lr == value


def test_overrides_reach_everywhere_and_are_typed(recipe_file):
    recipe = load_config(
        Recipe,
        recipe_file,
        [
            "seed=3",
            "stages.1.optimizer.lr=2e-5",
            "evaluation.steps=4",
            "stages.0.label=12",
            "note=",
        ],
    )
    assert recipe.seed == 3 and recipe.note is None
    assert recipe.stages[1].optimizer.lr == 2e-5
    assert recipe.evaluation == Stage(steps=4)
    assert recipe.stages[0].label == "12"
    assert load_config(Optimizer, {}, ["betas=[0.8, 0.9]"]).betas == (0.8, 0.9)


def test_overrides_do_not_change_the_callers_dict():
    values = {"stages": [{"steps": 1}]}
    load_config(Recipe, values, ["stages.0.steps=2"])
    assert values == {"stages": [{"steps": 1}]}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sed=1", r"recipe\.yaml: unknown key 'sed'\. Did you mean 'seed'\? Known: evaluation, "),
        ("stages.0.stepps=1", r"unknown key 'stages\.0\.stepps'\. Did you mean 'steps'\?"),
        ("stages.0.optimizer.learning=1", r"'stages\.0\.optimizer\.learning'.*Known: betas, lr, n"),
        ("evaluation.step=1", r"unknown key 'evaluation\.step'\. Did you mean 'steps'\?"),
        ("named.a.label2=x", r"unknown key 'named\.a\.label2'\. Did you mean 'label'\?"),
        ("named.a.label=x", r"the key 'named\.a\.steps' is missing"),
        ("seed=often", r"key 'seed': input should be a valid integer.*not 'often'"),
        ("stages.0.optimizer.name=sgd", r"input should be 'adamw' or 'muon', not 'sgd'"),
        ("stages.2.steps=1", r"'stages' is a list of 2; expected a number from 0 to 1, not '2'"),
        ("seed.x=1", r"'seed' is 7 and has no keys of its own"),
        ("seed", r"'seed' is not an override; write key=value"),
        ("a..b=1", r"is not an override"),
        ("seed=[1", r"override 'seed=\[1', line 1: not YAML"),
    ],
)
def test_errors_name_the_key_and_what_to_do(override, message, recipe_file):
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(Recipe, recipe_file, [override])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\nseed: 2\n", r"line 2: not YAML: the key 'seed' is given twice"),
        ("seed: [1\n", r"line 2: not YAML"),
        ("- 1\n", r"holds a list; expected `key: value` lines"),
        ("!!python/object/apply:os.system ['true']", r"not YAML: could not determine"),
    ],
)
def test_bad_files_are_refused_with_their_name(text, message, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(Recipe, path)
    assert "bad.yaml" in str(caught.value)


def test_anchors_and_merges_work(tmp_path):
    path = tmp_path / "merge.yaml"
    path.write_text("stages:\n  - &a {steps: 1, label: x}\n  - {<<: *a, steps: 2}\n")
    assert load_config(Recipe, path).stages[1] == Stage(steps=2, label="x")


def test_missing_and_empty_files(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no settings file '.*none\.yaml'"):
        load_config(Recipe, tmp_path / "none.yaml")
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert load_config(Recipe, tmp_path / "empty.yaml") == Recipe()


def test_written_settings_read_back_the_same(tmp_path):
    recipe = Recipe(
        note="1e-4",
        stages=[
            Stage(steps=1, label="no", optimizer=Optimizer(lr=1e-5)),
            Stage(steps=2, label="7"),
        ],
        named={"Café ♪": Stage(steps=3, label="null")},
    )
    dump_config(recipe, tmp_path / "out.yaml")
    assert load_config(Recipe, tmp_path / "out.yaml") == recipe
