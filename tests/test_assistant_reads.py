"""What a model is shown of results: the fields it was taught to read, though tools tell more."""

from __future__ import annotations

import dataclasses
from typing import get_type_hints

from llark_py.assistant.turns import ToolLoop
from llark_py.embedded import embedded_folder
from llark_py.messages import ToolResult
from llark_py.model import LlarkConfig
from llark_py.tools import load_tool

KEY = {"key": "A minor", "runner_up": "C major", "confidence": 0.9, "tuning_cents": 3.0}


def test_only_what_was_taught_is_shown_and_errors_are_whole():
    loop = ToolLoop(reads={"estimate_key": ["key", "confidence"]})
    result = ToolResult("call_1", "estimate_key", KEY, details=KEY)
    shown = loop._shown(result)
    assert shown.content == {"key": "A minor", "confidence": 0.9} and shown.details == KEY
    other = ToolResult("call_2", "estimate_tempo", {"tempo_bpm": 90.0})
    broken = ToolResult("call_3", "estimate_key", {"error": "the recording is silent"})
    assert loop._shown(other) is other and loop._shown(broken) is broken
    assert ToolLoop()._shown(result) is result


def test_the_embedded_model_reads_fields_that_its_tools_tell():
    config = LlarkConfig.from_pretrained(embedded_folder())
    for name, fields in config.tool_results.items():
        kind = get_type_hints(load_tool(name))["return"]
        assert set(fields) <= {field.name for field in dataclasses.fields(kind)}


def test_the_fields_are_kept_with_the_model(tmp_path):
    config = LlarkConfig.from_pretrained(embedded_folder())
    config.tool_results = {"estimate_key": ["key"]}
    config.save_pretrained(tmp_path)
    assert LlarkConfig.from_pretrained(tmp_path).tool_results == {"estimate_key": ["key"]}
