"""Why tools fail is taught in the words in which they say it."""

from __future__ import annotations

import re
from random import Random

import numpy as np
import pytest

from llark_py.audio import Audio
from llark_py.compose.instruments import FAMILIES
from llark_py.errors import ToolError
from llark_py.instruct.phrases import fill, grammar
from llark_py.instruct.simulate.asking import reason
from llark_py.tools import check_arguments, load_tool

RATE = 16_000


def alike(text):
    """Numbers and names of families do not count."""
    return re.sub("|".join([r"[0-9.]+", *FAMILIES]), "#", text)


def taught(tool):
    values = {"few": "3", "many": "30", "family": "piano"}
    phrasings = [*grammar()["reasons"][tool], *grammar()["reasons"]["any"]]
    return {alike(fill(phrasing, values, Random(0))) for phrasing in phrasings}


def tone(seconds=3.0):
    times = np.arange(round(seconds * RATE)) / RATE
    return Audio((0.3 * np.sin(2 * np.pi * 220 * times)).astype(np.float32), RATE)


def test_every_tool_has_reasons_of_its_own_and_now_and_then_another():
    for tool in grammar()["reasons"].keys() - {"any"}:
        said = {reason(tool, None, Random(seed)) for seed in range(60)}
        assert len(said) > 8, tool
        assert {alike(text) for text in said} <= taught(tool)


@pytest.mark.parametrize(
    "part",
    [{}, {"start_s": 1.0, "end_s": 1.05}, {"start_s": 40.0}, {"end_s": 40.0}],
)
def test_parts_that_cannot_be_cut(part, tmp_path):
    from llark_py.analysis.excerpt import cut

    with pytest.raises(ToolError) as error:
        cut(tone(), part.get("start_s", 0.0), part.get("end_s"))
    assert alike(str(error.value)) in taught("cut_clip")


def test_one_song_is_not_compared():
    with pytest.raises(ToolError) as error:
        check_arguments(load_tool("compare_songs"), {"first": "audio_1"}, ["audio_1"])
    assert alike(str(error.value)) in taught("compare_songs")


def test_what_schemas_forbid_is_not_taught():
    """It cannot be called (`assistant/call_schema.py`), and names of recordings are for tools."""
    said = " ".join(" ".join(taught(tool)) for tool in grammar()["reasons"])
    assert "audio_" not in said and "takes no argument" not in said


def test_what_holds_nothing_to_measure():
    from llark_py.analysis.drums import measure_drums
    from llark_py.analysis.loudness import measure_loudness

    with pytest.raises(ToolError) as drums:
        measure_drums(tone())
    assert alike(str(drums.value)) in taught("transcribe_drums")
    faint = Audio(tone().samples * np.float32(2e-4), RATE)
    with pytest.raises(ToolError) as quiet:
        measure_loudness(faint)
    assert alike(str(quiet.value)) in taught("measure_loudness")
