"""A catalogue without processes and without a model: quick stages that tell what they got."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from llark_py.audio import Audio
from llark_py.catalogue.captioner import Listened, Said
from llark_py.catalogue.decode import Decoded, fail
from llark_py.catalogue.engine import Engine
from llark_py.catalogue.hearing import HeardSong
from llark_py.catalogue.ledger import Ledger
from llark_py.catalogue.measure import Measured
from llark_py.catalogue.record import Captions, Facts, Maker
from llark_py.catalogue.scan import look_at, scan
from llark_py.encoders.base import Encoded
from llark_py.encoders.mini_form import Form
from llark_py.files import hash_file

MAKER = Maker(name="quick", version="1", weights="a" * 32)


class Done:
    """Work that is done when it is handed out."""

    def __init__(self, value):
        self._value = value

    def result(self):
        return self._value


class HereWorkers:
    """Does all work at once in this process."""

    def submit(self, call, *arguments):
        return Done(call(*arguments))


def quick_decode(song, heard_rate, spoken_rate):
    """Take the bytes of a file for its sound; files that begin with `bad` cannot be read."""
    content = Path(song.path).read_bytes()
    if content.startswith(b"bad"):
        return fail(song, "it is bad")
    sound = Audio(np.frombuffer(content or b"\1", np.uint8) / 255, heard_rate)
    # What a minute of music takes.
    features = np.ones((600, 488), np.float32)
    return Decoded(look_at(song.path), hash_file(song.path), 60.0, sound, sound, features, -14.0)


def quick_measure(audio, heard, loudness_lufs, config):
    """Find nothing."""
    return Measured(Facts().model_dump_json(), {})


class QuickCaptioner:
    """Says of each song its place in the batch and with how many others it came."""

    maker = MAKER
    rates = (16_000, 16_000)
    encoder_config = None
    hears_elsewhere = False

    def __init__(self, questions=()):
        self.questions = tuple(questions)
        self.batches = []

    def hear(self, songs):
        self.batches.append([song.song.path for song in songs])
        return [HeardSong(None, {}, {}, Form(60.0, ()), False) for _ in songs]

    def listen(self, songs, heard):
        return [Listened(one, Encoded(None), None) for one in heard]

    def speak(self, songs, listened):
        return [
            Said(
                Captions(line=f"{i} of {len(songs)}", paragraph="long " * 300, tags=("a", "b")),
                None,
                dict.fromkeys(self.questions, "yes"),
            )
            for i in range(len(songs))
        ]


def run(paths, out, captioner, *, retry_errors=False, memory_mib=2048, workers=None):
    """Do what the command does; give how many songs were described and which failed."""
    found = scan([str(path) for path in paths])
    described, failures = 0, []
    with Ledger(out, captioner.maker, captioner.questions) as ledger:
        ledger.replace_failures(found.failures)
        left = ledger.plan(found.songs, retry_errors)
        engine = Engine(captioner, ledger, workers or HereWorkers(), memory_mib)
        for done, failed in engine.run(left):
            described += done
            failures += failed
    return described, failures
