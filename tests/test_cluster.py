"""Catalogues on a Ray cluster of two stations: the same lines as here, whoever dies on the way."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from catalogue_parts import MAKER, HereWorkers, QuickCaptioner, quick_decode, quick_measure, run

from llark_py.catalogue.cluster import Cluster, _divide
from llark_py.catalogue.ledger import Ledger
from llark_py.catalogue.scan import scan
from llark_py.errors import CheckpointError, ConfigError


class DyingCaptioner(QuickCaptioner):
    """Kills its process at the second batch, once in all."""

    def __init__(self, folder: Path):
        super().__init__()
        self._folder = folder

    def hear(self, songs):
        (self._folder / str(os.getpid())).touch()
        if len(self.batches) == 1 and not (self._folder / "dead").exists():
            (self._folder / "dead").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.2)  # so that both stations get something to do
        return super().hear(songs)


def quick_stages() -> None:
    """Let this process work as the tests of the local engine do."""
    from llark_py.catalogue import cluster, engine

    engine.decode_song, engine.measure_song = quick_decode, quick_measure
    cluster.Workers = lambda n_workers: HereWorkers()


def load_quick(folder: Path) -> QuickCaptioner:
    """Load what a station of these tests works with."""
    quick_stages()
    return DyingCaptioner(folder)


def load_nothing() -> QuickCaptioner:
    """Fail as a missing model does."""
    raise CheckpointError("no weights there")


@pytest.fixture
def cluster_address(monkeypatch) -> Iterator[str]:
    """Start a cluster of two stations on this machine, whatever processors it has."""
    # Both are read when Ray is imported. Without the first it takes 127.0.0.1 for the address by
    # which other machines reach this one; and a head may ask for a token (from Ray 2.59 on).
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'llark_py[scale]'")
    here = Path(__file__).parent
    monkeypatch.setenv("PYTHONPATH", f"{here}{os.pathsep}{here.parent}")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    program, port = str(Path(sys.executable).with_name("ray")), _free_port()
    # Ray's sockets have paths of at most 107 characters.
    folder = tempfile.mkdtemp(prefix="ray-")
    start = f"start --head --block --node-ip-address=127.0.0.1 --port={port} --num-cpus=4"
    small = f"--object-store-memory={80 << 20} --include-dashboard=false --temp-dir={folder}"
    # `--block`, so that nobody else's Ray is stopped with `ray stop`.
    head = subprocess.Popen(
        [program, *start.split(), *small.split()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_for(port, head)
        yield f"127.0.0.1:{port}"
    finally:
        head.terminate()
        head.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int, head: subprocess.Popen) -> None:
    while True:
        assert head.poll() is None, "ray start ended"
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("LLARK_TEST_CLUSTER") != "1",
    reason="starts a Ray cluster, which takes minutes: LLARK_TEST_CLUSTER=1 runs it",
)
@pytest.mark.timeout(900)  # processes that import torch and Ray, where others work too
def test_a_cluster_writes_the_same_lines_though_a_station_dies(
    cluster_address, tmp_path, monkeypatch
):
    songs, died = tmp_path / "songs", tmp_path / "stations"
    songs.mkdir(), died.mkdir()
    for i in range(150):
        (songs / f"{i:03d}.mp3").write_text(f"{'bad' if i % 7 == 3 else 'song'} {i}")
    with Cluster(partial(load_quick, died), cluster_address, 2048) as cluster:
        assert cluster.maker == MAKER
        out = tmp_path / "cluster" / "catalogue.jsonl"
        with Ledger(out, cluster.maker, ()) as ledger:
            done = list(cluster.run(ledger, ledger.plan(scan([str(songs)]).songs)))
        assert sum(described for described, _ in done) == 129
        assert sum(len(failures) for _, failures in done) == 21
        assert (died / "dead").exists() and len(list(died.iterdir())) >= 4  # one came anew
    with pytest.raises(ConfigError, match="no weights there"):
        Cluster(load_nothing, cluster_address, 2048).__enter__()

    quick_stages_here(monkeypatch)
    local = tmp_path / "local" / "catalogue.jsonl"
    run([songs], local, QuickCaptioner())
    for name in ("catalogue.jsonl", "catalogue.errors.jsonl"):
        assert out.with_name(name).read_text() == local.with_name(name).read_text()


def quick_stages_here(monkeypatch) -> None:
    monkeypatch.setattr("llark_py.catalogue.engine.decode_song", quick_decode)
    monkeypatch.setattr("llark_py.catalogue.engine.measure_song", quick_measure)


def test_a_station_has_a_gpu_or_two_processors():
    def divide(*machines):
        return tuple(_divide([{"Alive": True, "Resources": have} for have in machines]))

    assert divide({"CPU": 8.0}) == (4, 2, 0)
    assert divide({"CPU": 1.0}) == (1, 1, 0)
    assert divide({"CPU": 4.0}, {"CPU": 5.0}, {"memory": 1.0}) == (4, 2, 0)
    assert divide({"CPU": 32.0}, {"CPU": 16.0, "GPU": 4.0}, {"CPU": 8.0, "GPU": 1.0}) == (5, 4, 1)
    with pytest.raises(ConfigError, match="no processor"):
        divide({"CPU": 0.0})


def test_an_address_where_nobody_listens_is_told_at_once():
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'llark_py[scale]'")
    with pytest.raises(ConfigError, match=r"no Ray cluster at '127.0.0.1:9'.*refused"):
        Cluster(load_nothing, "127.0.0.1:9", 2048).__enter__()
