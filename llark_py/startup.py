"""Makes a cold start shorter: imports of torch and transformers are most of it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

_COMPILER = "torch._dynamo"
_HELPERS = f"{_COMPILER}._trace_wrapped_higher_order_op"


@contextmanager
def lean_imports() -> Iterator[None]:
    """Import transformers without what only compiling and distributed training need.

    While it is imported it takes torch's compiler for a few decorators, and with it sympy and all
    of distributed torch, and scipy's optimisers for a loss of object detection: more than half of
    the time. Inside, the compiler is stood in for by decorators that change nothing, and
    transformers is told that the other two are not there. Outside, all of them can be used as
    ever; but those modules of transformers that were first imported inside stay without tensor
    parallelism and sharding for the life of the process, so training imports nothing here.

    The garbage collector rests too: it would walk over millions of objects that stay.
    """
    with _collection_paused():
        if "transformers.modeling_utils" in sys.modules or _COMPILER in sys.modules:
            yield
            return
        import torch
        from transformers import utils
        from transformers.utils import import_utils

        compiler, helpers = _Compiler(_COMPILER), ModuleType(_HELPERS)
        helpers.TransformGetItemToIndex = _TransformGetItemToIndex  # type: ignore[attr-defined]
        with ExitStack() as stack:
            stack.enter_context(_replaced(torch.compiler, "disable", _unchanged))
            for module in (utils, import_utils):
                for question in ("is_torch_distributed_available", "is_scipy_available"):
                    stack.enter_context(_replaced(module, question, _no))
            for stand_in in (compiler, helpers):
                sys.modules[stand_in.__name__] = stand_in
                stack.callback(sys.modules.pop, stand_in.__name__)
            yield


@contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


@contextmanager
def _collection_paused() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            gc.enable()


def _no() -> bool:
    return False


def _unchanged(function: Any = None, *_: Any, **__: Any) -> Any:
    """Decorate, with or without arguments, by doing nothing."""
    return (lambda f: f) if function is None else function


class _Compiler(ModuleType):
    """Stands in for torch's compiler: every decorator of it leaves the function as it is."""

    __path__: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return _unchanged


class _TransformGetItemToIndex:
    """The context manager of torch's compiler, imported when somebody enters it."""

    def __new__(cls) -> Any:
        from torch._dynamo._trace_wrapped_higher_order_op import TransformGetItemToIndex

        return TransformGetItemToIndex()
