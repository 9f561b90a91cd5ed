"""A cold start leaves out what answering does not need, and nothing is lost by it."""

import gc
import subprocess
import sys

import pytest

from llark_py.startup import lean_imports

SCRIPT = """
import sys
import llark_py

llark_py.load_assistant
from llark_py.startup import lean_imports

with lean_imports():
    import llark_py.model.checkpoint
heavy = ["sympy", "torch._dynamo", "torch.distributed.tensor", "scipy.optimize"]
print([name for name in heavy if name in sys.modules])

import torch
import transformers.masking_utils as masks

kind = type(masks.TransformGetItemToIndex())
print(kind.__module__, torch._dynamo.__file__ is not None, "sympy" in sys.modules)
assert torch.compiler.disable.__module__ == "torch.compiler"
from transformers.utils import is_scipy_available

assert is_scipy_available()
"""


def test_the_compiler_is_not_imported_until_somebody_needs_it():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    left_out, found = run.stdout.splitlines()
    assert left_out == "[]"
    assert found == "torch._dynamo._trace_wrapped_higher_order_op True True"


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_rests_and_goes_on_as_before(enabled):
    was_enabled = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(RuntimeError, match="inside"), lean_imports():
            assert not gc.isenabled()
            raise RuntimeError("inside")
        assert gc.isenabled() == enabled
    finally:
        gc.unfreeze()
        (gc.enable if was_enabled else gc.disable)()
