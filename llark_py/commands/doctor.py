"""Tell what is installed, what this machine can do, and how to get what is missing."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Annotated, Literal

import typer

from llark_py.embedded import FOLDER

Need = Literal["main job", "extra"]
MAIN: Need = "main job"
EXTRA: Need = "extra"
NEEDED_MEMORY_GB = 2.5
"""What answering about a song takes at most."""
_MIB = 1 << 20
_MIN_PYTHON = (3, 11)
_INSTALL = "make chat sets everything up; or: pip install -c constraints.txt -e ."
_NO_DEPS = "pip install --no-deps basic-pitch==0.4.0 resampy"
_MAIN_PACKAGES = {
    "torch": _INSTALL,
    "transformers": _INSTALL,
    "numpy": _INSTALL,
    "librosa": _INSTALL,
    "soundfile": _INSTALL,
    "soxr": _INSTALL,
    "av": _INSTALL,
    "onnxruntime": _INSTALL,
    "pretty_midi": _INSTALL,
    "gradio": _INSTALL,
}
_EXTRA_PACKAGES = {
    "accelerate": "pip install 'llark_py[train]'",
    "peft": "pip install 'llark_py[train]'",
    "tinysoundfont": "pip install --no-deps tinysoundfont",
    "ray": "pip install 'llark_py[scale]'",
    "sacrebleu": "pip install 'llark_py[evaluate]'",
}
_MODEL_FILES = (
    "config.json",
    "model.safetensors",
    "processor_config.json",
    "tokenizer_config.json",
)
_FONT_FOLDERS = ("/usr/share/sounds/sf2", "/usr/share/sounds/sf3", "/usr/share/soundfonts")


@dataclass(frozen=True)
class Finding:
    """One line of the table.

    Attributes:
        name: What was looked at.
        need: Whether the main job (asking about a song) needs it, or an extra does.
        found: Whether it is there.
        detail: Version, size or place.
        remedy: How to get it; empty when it is there.
    """

    name: str
    need: Need
    found: bool
    detail: str
    remedy: str = ""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    clear_cache: Annotated[
        bool, typer.Option("--clear-cache", help="First delete what was kept of songs.")
    ] = False,
) -> int:
    """Tell what is installed and what is missing; exit code 0 when questions can be answered."""
    if clear_cache:
        _clear_cache()
    findings = list(examine())
    ready = all(f.found for f in findings if f.need == MAIN)
    if as_json:
        print(json.dumps({"ready": ready, "findings": [asdict(f) for f in findings]}))
    else:
        width = max(len(f.name) for f in findings)
        for f in findings:
            mark = "ok" if f.found else "MISSING" if f.need == MAIN else "-"
            print(f"{mark:7}  {f.name:{width}}  {f.detail}{_arrow(f.remedy)}")
        print("\nllark can answer questions." if ready else "\nllark cannot answer questions yet.")
    return 0 if ready else 1


def _arrow(remedy: str) -> str:
    return f"  ->  {remedy}" if remedy else ""


def examine() -> Iterator[Finding]:
    """Look at everything, the machine first."""
    yield _python()
    yield _memory()
    yield Finding("processor", EXTRA, True, f"{os.cpu_count()} cores, {platform.machine()}")
    for name, remedy in _MAIN_PACKAGES.items():
        yield _package(name, MAIN, remedy)
    yield _basic_pitch()
    yield _embedded_model()
    yield _accelerator()
    for name, remedy in _EXTRA_PACKAGES.items():
        yield _package(name, EXTRA, remedy)
    yield _soundfonts()
    yield _chromium()
    yield _cache()


def _python() -> Finding:
    return _finding(
        "python",
        MAIN,
        platform.python_version() if sys.version_info >= _MIN_PYTHON else None,
        f"install Python {'.'.join(map(str, _MIN_PYTHON))} or newer",
    )


def _memory() -> Finding:
    # Not on every system; where it cannot be asked it is not held against the machine.
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return Finding("memory", EXTRA, True, "unknown")
    size_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    enough = size_gb >= NEEDED_MEMORY_GB
    remedy = "" if enough else f"answering takes up to {NEEDED_MEMORY_GB:g} GB"
    return Finding("memory", MAIN, enough, f"{size_gb:.1f} GB", remedy)


def _package(name: str, need: Need, remedy: str) -> Finding:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        version = None
    return _finding(name, need, version, remedy)


def _basic_pitch() -> Finding:
    # Found without importing it: its import advertises other runtimes in the log.
    spec = util.find_spec("basic_pitch")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    model = folder / "saved_models" / "icassp_2022" / "nmp.onnx" if folder else None
    detail = "network for onnxruntime in place" if model and model.is_file() else None
    return _finding("basic-pitch", MAIN, detail, _NO_DEPS)


def _embedded_model() -> Finding:
    missing = [name for name in _MODEL_FILES if not (FOLDER / name).is_file()]
    if missing:
        remedy = "install a release, or make one with: llark train mini"
        return Finding("embedded model", MAIN, False, f"no {missing[0]} in {FOLDER}", remedy)
    size_mb = (FOLDER / "model.safetensors").stat().st_size / 1e6
    return Finding("embedded model", MAIN, True, f"mini, {size_mb:.1f} MB")


def _accelerator() -> Finding:
    if util.find_spec("torch") is None:
        return Finding("accelerator", EXTRA, False, "unknown without torch")
    import torch

    if torch.cuda.is_available():
        return Finding("accelerator", EXTRA, True, torch.cuda.get_device_name(0))
    if torch.backends.mps.is_available():
        return Finding("accelerator", EXTRA, True, "Apple GPU")
    return Finding("accelerator", EXTRA, False, "none; mini runs on the processor")


def _soundfonts() -> Finding:
    spec = util.find_spec("pretty_midi")
    inside = Path(spec.origin).parent.glob("*.sf2") if spec and spec.origin else iter(())
    folders = [Path(f) for f in _FONT_FOLDERS]
    fonts = [*inside, *(p for f in folders for p in f.glob("*.sf[23]") if not p.is_symlink())]
    return _finding(
        "soundfonts",
        EXTRA,
        ", ".join(sorted(p.name for p in fonts)) or None,
        "apt install fluid-soundfont-gm (more sounds for llark compose)",
    )


def _chromium() -> Finding:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    return _finding(
        "chromium", EXTRA, path, "apt install chromium (for the tests of the chat page)"
    )


def _cache() -> Finding:
    from llark_py.analysis import song_cache

    now = song_cache.state()
    if now.folder is None:
        return Finding("cache", EXTRA, False, "off (LLARK_CACHE, LLARK_CACHE_MIB)")
    size = f"{now.size / _MIB:.1f} of {now.limit // _MIB} MiB in {now.n_files} files"
    return Finding("cache", EXTRA, True, f"{size}, {now.folder}")


def _clear_cache() -> None:
    from llark_py.analysis import song_cache

    before = song_cache.clear()
    if before.folder is None:
        print("the cache is off; nothing was deleted", file=sys.stderr)
    else:
        told = f"{before.n_files} files, {before.size / _MIB:.1f} MiB"
        print(f"emptied {before.folder}: {told}", file=sys.stderr)


def _finding(name: str, need: Need, detail: str | None, remedy: str) -> Finding:
    if detail is None:
        return Finding(name, need, False, "not installed", remedy)
    return Finding(name, need, True, detail)
