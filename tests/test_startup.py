"""The garbage collector rests while modules are imported, and only then."""

import gc

import pytest

from llark_py.startup import collection_paused


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_rests_and_goes_on_as_before(enabled):
    was_enabled = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(RuntimeError, match="inside"), collection_paused():
            assert not gc.isenabled()
            raise RuntimeError("inside")
        assert gc.isenabled() == enabled
    finally:
        gc.unfreeze()
        (gc.enable if was_enabled else gc.disable)()
