"""Recipes: what a training run does, as validated settings.

A recipe is a YAML file of `training/recipes` (or a path); `kind` says which model below it fills.
The resolved recipe is saved beside what it made.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from llark_py.config import Settings, load_config, read_yaml
from llark_py.errors import ConfigError, UnknownNameError

from .drum_recipe import DrumRecipe
from .fit_settings import FitSettings


class ClipSettings(Settings):
    """The composed clips: how many, how long, from which soundfonts."""

    n: int = Field(20_000, ge=8)
    n_dev: int = Field(300, ge=4)
    """Clips of the held-out soundfont, watched during training."""
    seconds: float = Field(10.0, ge=9.0)
    soundfonts: list[str] = ["fluid", "musescore"]
    dev_soundfont: str = "timgm"
    not_music: float = Field(0.08, ge=0, le=0.5)
    """Share of clips that are one of `compose.sounds.NOT_MUSIC`."""
    recoloured: float = Field(0.0, ge=0, le=1)
    """Share of training clips in which every part gets a timbre of its own."""
    alone: float = Field(0.0, ge=0, le=1)
    """Share of training clips in which one player is left alone, often a singer."""
    seed: int = Field(0, ge=0)
    shard_size: int = Field(250, ge=4)
    workers: int = Field(0, ge=0)
    """Processes that render; 0 = one a core."""


class SongSettings(Settings):
    """Excerpts and whole songs (from 45 s on), heard once, then kept."""

    n: int = Field(0, ge=0)
    """How many; 0: none."""
    shortest_s: float = Field(60.0, ge=10)
    longest_s: float = Field(120.0, ge=10, le=900)
    soundfonts: list[str] = []
    """None named: those of the clips."""
    seed: int = Field(300_000_000, ge=0)
    shard_size: int = Field(10, ge=1)
    workers: int = Field(0, ge=0)
    """Processes that compose and listen; 0 = one a core."""


class EncoderSettings(FitSettings):
    """The encoder stage of `mini`: sizes and optimisation."""

    steps: int = Field(1_000, ge=0)
    """0: take the encoder of `init_from` as it is; then there is no generative stage either."""
    width: int = Field(256, ge=64, multiple_of=64)
    n_layers: int = Field(4, ge=1)
    p_named_style: float = Field(0.4, ge=0, le=1)
    """Share of the music without a named style that is exchanged for music with one."""
    p_rare_family: float = Field(0.3, ge=0, le=1)
    """Share of the music that is exchanged for clips with an instrument family drawn evenly."""
    p_joined: float = Field(0.0, ge=0, le=1)
    """Share of the music that players of other clips join; only who plays is asked of it then."""
    stem: Literal["patches", "residual"] = "residual"
    stem_channels: int = Field(64, ge=16)
    """Not fewer: with 4 or 8, gradients of the convolutions (oneDNN of torch 2.13, AVX-512) write
    past their memory, which ends in a crash some steps later."""
    boundaries: bool = True
    """Have a head for changes of section."""
    parts: bool = True
    """Learn from the composer's notes which family sounds each pitch."""
    init_from: Path | None = None
    """Folder of a `mini`, or of its encoder, to start from; None = random weights."""
    keep_weight: float = Field(0.0, ge=0)
    """With `init_from`: of the loss that keeps what a language model reads near what it was."""
    kept_share: float = Field(1.0, gt=0, le=1)
    """With `init_from`: how far towards the fitted weights to go (half way hears more)."""
    generative_weight: float = Field(0.1, ge=0)
    """Of the generative loss beside those of the heads, where there is a generative stage."""
    generative_share: float = Field(0.0625, gt=0, le=1)
    """Of the windows of a batch that have the generative loss too."""

    @model_validator(mode="after")
    def _check_kept(self) -> EncoderSettings:
        if not self.init_from and (self.keep_weight or self.kept_share < 1):
            raise ValueError("keep_weight and kept_share need init_from: weights worth keeping")
        if not self.init_from and not self.steps:
            raise ValueError("steps=0 needs init_from: an encoder that is fitted already")
        return self


class GenerateSettings(FitSettings):
    """The generative stage of `mini`: a codec, and an encoder that foresees its codes."""

    steps: int = Field(200, ge=1)
    codec_books: int = Field(6, ge=1)
    codec_codes: int = Field(512, ge=2)


Kind = Literal["ear", "words", "all", "songs", "course"]
"""What a batch asks: of windows of clips `ear` short questions that are answered by listening,
`words` what takes no listening (what a tool answers, and talk), `all` everything; of songs and
excerpts `songs` everything, `course` form, where and when."""


class LanguageSettings(FitSettings):
    """The language stage of `mini`: a small Llama over the frozen encoder's tokens."""

    width: int = Field(256, ge=64, multiple_of=64)
    n_layers: int = Field(4, ge=1)
    vocab_size: int = Field(3_072, ge=400)
    corpus_dialogues: int = Field(6_000, ge=50)
    """Dialogues that the tokenizer is trained on."""
    turns: int = Field(5, ge=1)
    """Questions in a dialogue."""
    max_text_tokens: int = Field(400, ge=64)
    basic_turns: int = Field(3, ge=1)
    """Questions in a dialogue of the kind `words`."""
    ear_turns: int = Field(7, ge=1)
    song_turns: int = Field(5, ge=1)
    song_batch_size: int = Field(12, ge=1)
    macro_batches: int = Field(8, ge=1)
    """Batches that are written at once, sorted by length."""
    basic_steps: int = Field(400, ge=0)
    """Steps that come before all others, of `basic_kinds` only."""
    basic_kinds: list[Kind] = Field(["ear", "words"], min_length=1)
    kinds: list[Kind] = Field(["all", "ear", "all", "words"], min_length=1)
    """Taken in turn, one a step."""
    notes: bool = False
    """Tell the language model in words too what the encoder hears."""
    song_frames: bool = False
    """Give it frames of whole songs, with times, instead of those of the middle window."""
    init_from: Path | None = None
    """Folder of a `mini` to go on from, with its tokenizer and at most twice its `n_layers`."""
    new_tokenizer: bool = False
    """With `init_from`: train a tokenizer all the same; its tokens begin as the old pieces."""


class MiniRecipe(Settings):
    """Compose, extract features, fit the encoder, fit projector and language model, save."""

    kind: Literal["mini"] = "mini"
    seed: int = 0
    work_dir: Path = Path("runs/mini")
    """Where the stages keep their results; a second run goes on from there."""
    output_dir: Path = Path("runs/mini/model")
    clips: ClipSettings = ClipSettings()
    songs: SongSettings = SongSettings()
    generate: GenerateSettings | None = GenerateSettings()
    """None: the encoder begins with random weights and has no codec."""
    encoder: EncoderSettings = EncoderSettings()
    language: LanguageSettings = LanguageSettings()
    evaluation_clips: int = Field(100, ge=1)
    """Fresh clips of the held-out soundfont that the report beside the model is made on."""

    @model_validator(mode="after")
    def _songs_are_there_to_be_asked_about(self) -> MiniRecipe:
        asked = {"songs", "course"}.intersection(self.language.kinds + self.language.basic_kinds)
        if asked and not (self.songs.n and self.language.song_frames):
            names = " and ".join(f"'{kind}'" for kind in sorted(asked))
            raise ValueError(f"the kind {names} needs songs.n > 0 and language.song_frames=true")
        if self.songs.shortest_s > self.songs.longest_s:
            raise ValueError("songs.shortest_s must not be above songs.longest_s")
        return self


class SeparatorClips(Settings):
    """The composed clips whose stems the separator learns from."""

    n: int = Field(1_500, ge=2)
    n_dev: int = Field(120, ge=2)
    """Clips of the held-out soundfont, watched during training."""
    seconds: float = Field(20.0, ge=6)
    soundfonts: list[str] = ["fluid", "musescore"]
    dev_soundfont: str = "timgm"
    sung: float = Field(0.6, ge=0, le=1)
    """Share of the clips in which somebody must sing."""
    seed: int = Field(700_000_000, ge=0)
    workers: int = Field(0, ge=0)
    """Processes that render; 0 = one a core."""


class LoraSettings(Settings):
    """Low-rank adaptation of the language model (Hu et al., 2021)."""

    r: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1)
    dropout: float = Field(0.05, ge=0, lt=1)


class AdaptRecipe(Settings):
    """Fine-tune on a JSONL of conversations: LoRA and the projector, or all but the encoder."""

    kind: Literal["adapt"] = "adapt"
    seed: int = 0
    model: str | None = None
    """Folder or Hub name of a llark model to start from; None = the embedded `mini`."""
    language_model: str | None = None
    """Instead of `model`: folder or Hub name of an LLM to build a new model around ..."""
    encoder: dict[str, str | int | float | None] = {"name": "encodec"}
    """... and the encoder that feeds it: its `name` and settings."""
    projector: Literal["linear", "mlp"] = "mlp"
    data: Path
    """JSONL, one `{"audio": path, "messages": [...]}` a line."""
    output_dir: Path = Path("runs/adapter")
    lora: LoraSettings | None = LoraSettings()
    """None = train the projector and the whole language model."""
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    """Of the weights that are loaded; None = as they were saved."""
    max_audio_s: float = Field(900.0, gt=0)
    max_tokens: int = Field(2_048, ge=64)
    fit: FitSettings = FitSettings(steps=200, batch_size=4, learning_rate=2e-4, warmup_steps=10)


class SeparatorRecipe(Settings):
    """Compose stems, mix them, fit the embedded separator, save it."""

    kind: Literal["separator"] = "separator"
    seed: int = 0
    work_dir: Path = Path("runs/separator")
    output_dir: Path = Path("runs/separator/model")
    clips: SeparatorClips = SeparatorClips()
    channels: tuple[int, int, int, int] = (32, 64, 96, 128)
    """Of the four storeys of the U-Net."""
    fit: FitSettings = FitSettings(
        optimizer="muon", steps=1_500, batch_size=8, learning_rate=2e-3, warmup_steps=50
    )


class DebugRecipe(Settings):
    """The whole path in about a minute: tiny `mini`, LoRA on top of it, tiny separator."""

    kind: Literal["debug"] = "debug"
    mini: MiniRecipe = MiniRecipe()
    separator: SeparatorRecipe = SeparatorRecipe()
    adapter_dir: Path = Path("runs/debug/adapter")
    lora: LoraSettings = LoraSettings(r=4, alpha=8)
    fit: FitSettings = FitSettings(steps=5, batch_size=2, warmup_steps=1)
    drums: DrumRecipe = DrumRecipe()


Recipe = MiniRecipe | AdaptRecipe | DrumRecipe | SeparatorRecipe | DebugRecipe
_KINDS: dict[str, type[Recipe]] = {
    "mini": MiniRecipe,
    "adapt": AdaptRecipe,
    "drums": DrumRecipe,
    "separator": SeparatorRecipe,
    "debug": DebugRecipe,
}


def recipe_names() -> list[str]:
    """List the recipes that come with the package."""
    folder = resources.files(__package__) / "recipes"
    return sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name[-5:] == ".yaml")


def load_recipe(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe by name or path, with `key=value` overrides.

    Raises:
        UnknownNameError: There is no recipe of that name and no such file.
        ConfigError: The file or an override does not fit.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        if name not in recipe_names():
            raise UnknownNameError("recipe", name, recipe_names())
        path = Path(str(resources.files(__package__) / "recipes" / f"{name}.yaml"))
    kind = read_yaml(path).get("kind")
    if kind not in _KINDS:
        raise ConfigError(f"{path}: kind is {kind!r}; allowed: {', '.join(_KINDS)}")
    return load_config(_KINDS[kind], path, overrides)
