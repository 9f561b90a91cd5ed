"""The stages of the model: what the encoder hears of some songs, and what is said of them.

Songs come in batches. The windows of all of them share the encoder's batches, and one caption or
answer is generated for all of them at once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from llark_py import __version__
from llark_py.compose.mood import MOODS
from llark_py.embedded import embedded_folder
from llark_py.encoders.base import Encoded
from llark_py.errors import ConfigError
from llark_py.prompting import read_prompt_data
from llark_py.startup import lean_imports

from .decode import Decoded
from .hearing import HeardSong, hear_with, unpack
from .record import MODEL, Captions, Fact, Maker, pack_embedding

_CAPTIONS = ("line", "paragraph", "tags", "mood")
_TAG_ENDS = re.compile(r"[,;\n]")
_TAG_MARKS = " \t.#*-•"
_MUSIC = "music"


class Listened(NamedTuple):
    """What was heard of a song.

    Attributes:
        heard: For the tools.
        encoded: For the language model.
        embedding: As in a `Record`.
    """

    heard: HeardSong
    encoded: Encoded
    embedding: str | None


class Said(NamedTuple):
    """What the model says of a song; `mood` is None where it names none that is known."""

    captions: Captions
    mood: Fact[str] | None
    asked: dict[str, str]


class Captioner:
    """A model that hears songs and describes them.

    Args:
        model: A `LlarkForConditionalGeneration`.
        processor: Its processor.
        name: What it is called in records.
        questions: What to ask about each song besides.
        is_embedded: The model is the embedded one.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        name: str,
        questions: Sequence[str] = (),
        is_embedded: bool = False,
    ):
        from llark_py.assistant.batch import BatchAssistant
        from llark_py.encoders.mini import MiniEncoder, load_embedded

        self._model, self.questions = model, tuple(questions)
        self._assistant = BatchAssistant(model, processor, name=name)
        inner = model.get_base_model() if hasattr(model, "peft_config") else model
        tower = inner.model.audio_tower
        # An encoder that hears whole songs serves the language model and the tools at once.
        self._serves_both = isinstance(tower, MiniEncoder) and tower.config.song_frames
        self._encoder = tower if self._serves_both else load_embedded()
        self._is_embedded = is_embedded or not self._serves_both
        self.maker = Maker(name=name, version=__version__, weights=hash_weights(model))

    @property
    def rates(self) -> tuple[int, int]:
        """Sample rates in Hz of the encoder that listens for the tools, and of the model's."""
        return self.encoder_config.sample_rate, self._model.config.audio_config.sample_rate

    @property
    def encoder_config(self) -> Any:
        """Of the encoder that listens for the tools: class names, thresholds."""
        return self._encoder.config

    @property
    def hears_elsewhere(self) -> bool:
        """Whether `hearing.hear_embedded` hears what this model's encoder does, as fast."""
        return self._is_embedded and self._encoder.device.type == "cpu"

    def hear(self, songs: Sequence[Decoded]) -> list[HeardSong]:
        """Hear some songs side by side."""
        return hear_with(self._encoder, [song.features for song in songs])

    def listen(self, songs: Sequence[Decoded], heard: Sequence[HeardSong]) -> list[Listened]:
        """Make of songs that were heard what the language model reads."""
        import torch

        listened = []
        with torch.inference_mode():
            for song, one in zip(songs, heard, strict=True):
                hearing = unpack(one, self._encoder.device)
                for_tools = one._replace(tokens=None)
                encoded = self._encode(song, hearing)
                listened.append(Listened(for_tools, encoded, _embed(hearing)))
        return listened

    def speak(self, songs: Sequence[Decoded], listened: Sequence[Listened]) -> list[Said]:
        """Describe some songs and answer the questions about them, side by side."""
        from llark_py.assistant.side_by_side import Heard

        prompts = read_prompt_data("catalogue")
        asked = [*(prompts[name] for name in _CAPTIONS), *self.questions]
        heard = [Heard(song.spoken, one.encoded) for song, one in zip(songs, listened, strict=True)]
        return [
            self._read(answers, one.heard)
            for answers, one in zip(self._assistant.answer(heard, asked), listened, strict=True)
        ]

    def _encode(self, song: Decoded, hearing: Any) -> Encoded:
        """Make of a song what the language model reads."""
        import torch

        if self._serves_both:
            return self._encoder.encode_hearing(hearing)
        waveform = torch.from_numpy(song.spoken.samples).to(self._model.device)
        return self._model.encode_recording(waveform)

    def _read(self, answers: Sequence[str], heard: HeardSong) -> Said:
        line, paragraph, tags, mood = answers[: len(_CAPTIONS)]
        is_music = not heard.silent and self._sound(heard) == _MUSIC
        return Said(
            Captions(line=line, paragraph=paragraph, tags=read_tags(tags) if is_music else ()),
            read_mood(mood) if is_music else None,
            dict(zip(self.questions, answers[len(_CAPTIONS) :], strict=True)),
        )

    def _sound(self, heard: HeardSong) -> str:
        return self.encoder_config.labels["sound"][int(heard.posteriors["sound"].argmax())]


def load_captioner(model: str | None, questions: Sequence[str] = ()) -> Captioner:
    """Load the model that describes.

    The embedded one speaks in float32: in bfloat16 the other songs of a batch would now and then
    change a word.

    Args:
        model: A folder or a Hub name; None for the embedded model.
        questions: What to ask about each song besides.

    Raises:
        CheckpointError: The weights are missing or do not fit.
        ConfigError: The model cannot hear.
    """
    with ExitStack() as start:
        start.enter_context(lean_imports())
        import torch
        from transformers.utils.logging import disable_progress_bar

        from llark_py.model.checkpoint import is_adapter, load_model
        from llark_py.model.text import is_text_model

        disable_progress_bar()
        if model is not None and is_adapter(model):
            start.close()  # peft needs what a lean start leaves out
        elif model is not None and is_text_model(model):
            raise ConfigError(
                f"'{model}' only reads; songs are described by a model that hears, such as mini"
            )
        device = "cuda" if torch.cuda.is_available() else None
        if model is None:
            loaded = load_model(embedded_folder(), device, dtype="float32")
        else:
            loaded = load_model(model, device)
        from llark_py.assistant.ears import lend_ears

        lend_ears(loaded[0])
        name = "mini" if model is None else str(Path(model))
        return Captioner(*loaded, name, questions, is_embedded=model is None)


def hash_weights(model: Any) -> str:
    """Tell models of one name apart: a hash of all weights."""
    import torch

    digest = hashlib.sha256()
    for name, weights in sorted(model.state_dict().items()):
        digest.update(f"{name} {weights.dtype} {tuple(weights.shape)} ".encode())
        digest.update(weights.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:32]


def read_tags(answer: str) -> tuple[str, ...]:
    """Take the tags out of an answer such as `My tags: folk, slow.`; each once."""
    _, colon, behind = answer.partition(":")
    tags = (tag.strip(_TAG_MARKS) for tag in _TAG_ENDS.split(behind if colon else answer))
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def read_mood(answer: str) -> Fact[str] | None:
    """Find the first mood that an answer names."""
    words = answer.lower()
    named = [(words.index(mood), mood) for mood in MOODS if mood in words]
    return Fact(value=min(named)[1], source=MODEL, confidence=None) if named else None


def _embed(hearing: Any) -> str | None:
    from llark_py.analysis.comparison import mean_token

    return None if hearing.silent else pack_embedding(mean_token(hearing))
