"""Training: views change sound and facts alike, labels are true, stages resume, LoRA runs."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from llark_py.encoders import encoder_config
from llark_py.encoders.mini_features import MEL_WIDTH, extract_features, normalise_level
from llark_py.errors import ConfigError, UnknownNameError
from llark_py.instruct.facts import FAMILY_WORDS
from llark_py.track import Chord, Instrument, Note, Track
from llark_py.training.encoder import head_losses, tempo_loss
from llark_py.training.labels import IGNORE, batch_labels, chord_class
from llark_py.training.recipe import ClipSettings, load_recipe, recipe_names
from llark_py.training.shards import Shards, clip_kind, make_shards, plan_shards
from llark_py.training.windows import View, draw_view, view_features, view_track

BEATS = tuple(0.5 * i for i in range(20))
TRACK = Track(
    id="made",
    duration_s=10.0,
    tempo_bpm=120.0,
    time_signature="4/4",
    key="A minor",
    chords=(Chord(0.0, 5.0, "A:min"), Chord(5.0, 10.0, "F:maj7")),
    beats_s=BEATS,
    downbeats_s=BEATS[::4],
    instruments=(Instrument("piano", "piano", "melody", ((0.0, 10.0),)),),
    lead="piano",
    notes=tuple(Note(t, t + 0.4, 69, 90, "piano") for t in BEATS),
    genre="rock",
    mood="moody",
)
CONFIG = encoder_config("mini", styles=["jazz", "rock"], families=["bass", "piano"])


def test_every_recipe_of_the_package_loads():
    for name in recipe_names():
        assert load_recipe(name).kind in ("mini", "adapt", "drums", "separator", "debug")


def test_recipe_errors_name_what_is_wrong():
    with pytest.raises(UnknownNameError, match="Did you mean 'mini'"):
        load_recipe("mimi")
    with pytest.raises(ConfigError, match="stepz"):
        load_recipe("mini", ["encoder.stepz=3"])


def test_labels_say_what_the_track_says():
    labels = batch_labels([TRACK], 84, CONFIG)
    bins = CONFIG.tempo_bins_bpm
    assert np.interp(labels["tempo"][0], np.arange(len(bins)), bins) == pytest.approx(120, 0.001)
    assert labels["key"][0] == 9 + 12 and labels["style"][0] == 1
    assert labels["families"][0].tolist() == [0.0, 1.0]
    assert labels["chord"][0, 10] == 12 + 9 and labels["chord"][0, 60] == 5
    assert labels["root"][0, 60] == 5
    assert labels["beat"][0, [0, 5, 20, 23]].tolist() == [2, 1, 2, 0]
    assert (labels["activity"][0] == torch.tensor([0.0, 1.0])).all()


def test_what_is_not_music_has_only_its_kind_to_learn():
    labels = batch_labels([Track(id="n", duration_s=10, sound="noise")], 30, CONFIG)
    assert labels["tempo"].isnan().all() and labels["sound"][0] == CONFIG.sounds.index("noise")
    for head in ("key", "style", "lead", "time_signature"):
        assert labels[head][0] == IGNORE
    assert (labels["beat"] == IGNORE).all() and (labels["chord"] == IGNORE).all()


def test_chord_classes():
    assert chord_class("G:7") == (7, 7) and chord_class("Bb:min7") == (22, 10)
    assert chord_class("B:dim") == (24, 11) and chord_class("N") == (24, IGNORE)


def test_view_changes_the_facts():
    seen = view_track(TRACK, View(start=10.0, speed=1.25, shift=3), 64)
    assert seen.tempo_bpm == 150 and seen.key == "C minor"
    assert seen.duration_s == pytest.approx(6.4)
    assert [c.label for c in seen.chords] == ["C:min", "Ab:maj7"]
    assert np.allclose(np.diff(seen.beats_s), 0.4) and seen.beats_s[0] == pytest.approx(0.0)


@pytest.mark.parametrize("shift", [-5, -1, 2, 6])
def test_view_moves_the_pitch_of_the_sound(shift):
    times = torch.arange(160_000) / 16_000
    features = extract_features(normalise_level(torch.sin(2 * torch.pi * 440 * times)[None]))[0]
    seen = view_features(features.numpy(), View(3.0, 1.0, shift), 84)
    assert seen.shape == (84, 488)
    assert seen[40, MEL_WIDTH:].argmax() == (69 - 24 + shift) * 2


def test_view_speeds_the_sound_up():
    ramp = np.tile(np.arange(100, dtype=np.float32)[:, None], (1, 488))
    seen = view_features(ramp, View(10.0, 1.2, 0), 70)
    assert np.allclose(np.diff(seen[:, -1]), 1.2, atol=1e-4)


def test_views_stay_inside_the_clip():
    rng = random.Random(0)
    for _ in range(300):
        window = rng.choice((30, 84))
        view = draw_view(100, window, rng)
        assert view.start >= 0 and view.start + window * view.speed <= 100


def test_unknown_facts_add_no_loss():
    logits = {"key": torch.randn(2, 24), "tempo": torch.randn(2, 96)}
    labels = {"key": torch.tensor([IGNORE, IGNORE]), "tempo": torch.tensor([float("nan")] * 2)}
    losses = head_losses(logits, {}, labels)
    assert "key" not in losses and losses["tempo"] == 0


def test_tempo_loss_is_least_at_the_true_bin():
    at = [tempo_loss(torch.eye(96)[[i]] * 9, torch.tensor([40.0])) for i in (38, 40, 43)]
    assert at[1] < at[0] and at[1] < at[2]


def test_shards_resume_and_repeat(tmp_path):
    settings = ClipSettings(
        n=8, n_dev=4, shard_size=4, workers=1, soundfonts=["timgm"], not_music=0.3
    )
    make_shards(settings, tmp_path)
    files = sorted(tmp_path.glob("*.npy"))
    assert len(files) == len(plan_shards(settings, tmp_path)) == 3
    before = np.load(files[1])
    kept = files[0].stat().st_mtime_ns
    files[1].unlink()
    make_shards(settings, tmp_path)
    assert files[0].stat().st_mtime_ns == kept and np.array_equal(np.load(files[1]), before)
    shards = Shards(tmp_path, "train")
    assert len(shards) == 8 and shards.features(5).shape == (100, 488)
    for seed, track in enumerate(shards.tracks):
        assert clip_kind(seed, ("timgm",), 0.3)[1] == track.sound
    assert not list(tmp_path.glob("*.part*"))


@pytest.fixture(scope="module")
def debug_run(tmp_path_factory):
    from llark_py.training.run import train

    folder = tmp_path_factory.mktemp("debug")
    overrides = [
        f"mini.work_dir={folder}",
        f"mini.output_dir={folder}/model",
        f"adapter_dir={folder}/adapter",
        *(f"{part}.work_dir={folder}/{part}" for part in ("separator", "drums")),
        *(f"{part}.output_dir={folder}/{part}/model" for part in ("separator", "drums")),
        "mini.clips.n=8",
        "mini.clips.n_dev=4",
        "mini.evaluation_clips=2",
    ]
    recipe = load_recipe("debug", overrides)
    train(recipe)
    return folder, recipe


def test_debug_recipe_makes_a_model_and_an_adapter(debug_run):
    from llark_py.model.checkpoint import load_model

    folder, _ = debug_run
    base, _ = load_model(folder / "model", dtype="float32")
    adapted, _ = load_model(folder / "adapter", dtype="float32")
    assert (folder / "model" / "training.json").exists()
    inner = adapted.get_base_model().model
    old = base.model.multi_modal_projector.state_dict()
    new = inner.multi_modal_projector.state_dict()
    trained = [not torch.equal(new[k], old[k]) for k in new if k in old]
    trained += [k.startswith("modules_to_save") for k in new]
    assert any(trained)
    tower = zip(base.model.audio_tower.parameters(), inner.audio_tower.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in tower)


def test_a_finished_stage_is_not_run_again(debug_run, monkeypatch):
    from llark_py.training import encoder, language
    from llark_py.training.run import train_mini

    def never(*arguments, **options):
        raise AssertionError("a finished stage was run again")

    folder, recipe = debug_run
    monkeypatch.setattr(encoder, "fit", never)
    monkeypatch.setattr(language, "fit", never)
    assert train_mini(recipe.mini) == folder / "model"


def test_only_the_assistants_words_are_learned(debug_run):
    from llark_py.model.checkpoint import load_model
    from llark_py.training.dialogues import TOOLS, Topic, encode_chats, write_chats

    folder, _ = debug_run
    _, processor = load_model(folder / "model")
    chats, heard = write_chats([Topic(TRACK)] * 6, "Listen.", TOOLS, 2, random.Random(3))
    batch = encode_chats(processor, chats, TOOLS, [20] * sum(map(len, heard)), 2_000)
    for chat, ids, labels in zip(chats, batch["input_ids"], batch["labels"], strict=True):
        learned = processor.tokenizer.decode(labels[labels != IGNORE])
        for turn in chat:
            if turn["role"] == "assistant" and turn["content"]:
                assert turn["content"] in learned
            elif turn["role"] == "tool":
                assert turn["content"] not in learned
        assert torch.equal(ids[labels != IGNORE], labels[labels != IGNORE])
    n_audio = (batch["input_ids"] == processor.audio_token_id).sum()
    assert n_audio == 20 * sum(map(len, heard))


def test_assistant_words_are_those_that_the_template_marks(debug_run):
    from llark_py.model.checkpoint import load_model
    from llark_py.training.dialogues import TOOLS, Topic, tool_specs, words_of, write_chats

    folder, _ = debug_run
    _, processor = load_model(folder / "model")
    chats, heard = write_chats([Topic(TRACK)] * 8, "Listen.", TOOLS, 4, random.Random(1))
    marked = processor.apply_chat_template(
        chats,
        tools=tool_specs(TOOLS),
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
        audio_frames=[3] * sum(map(len, heard)),
        processor_kwargs={"padding_side": "right"},
    )
    own = words_of(processor, marked["input_ids"], "assistant") & marked["attention_mask"].bool()
    assert torch.equal(own, marked["assistant_masks"].bool())


def test_the_loss_of_what_is_said_is_that_of_the_whole_model(debug_run):
    from llark_py.model.checkpoint import load_model
    from llark_py.training.dialogues import TOOLS, Topic, encode_chats, write_chats
    from llark_py.training.language import spoken_loss

    folder, _ = debug_run
    model, processor = load_model(folder / "model")
    chats, heard = write_chats([Topic(TRACK)] * 3, "Listen.", TOOLS, 2, random.Random(2))
    batch = encode_chats(processor, chats, TOOLS, [3] * sum(map(len, heard)), 2_000)
    width = model.config.audio_config.width
    batch["input_features"] = torch.randn(sum(map(len, heard)), 3, width)
    with torch.no_grad():
        torch.testing.assert_close(spoken_loss(model, batch), model(**batch).loss)


def test_a_model_goes_on_from_an_earlier_one(debug_run):
    from llark_py.encoders.mini import MiniEncoder
    from llark_py.model.checkpoint import load_model
    from llark_py.training.language import new_model, take_weights

    folder, recipe = debug_run
    earlier, processor = load_model(folder / "model", dtype="float32")
    mini = recipe.mini
    encoder = MiniEncoder.from_pretrained(folder / "encoder")
    with torch.no_grad():
        encoder.network.norm.weight.add_(1.0)
    wider = encoder_config("mini", **{**encoder.config.to_diff_dict(), "styles": ["rock"]})
    model, _ = new_model(mini, MiniEncoder(wider), processor.tokenizer)
    heard = model.model.audio_tower.network.norm.weight.clone()
    assert take_weights(model, earlier) == [
        "model.audio_tower.concepts.style.weight",
    ]
    old, new = earlier.state_dict(), model.state_dict()
    for name in new:
        if "language_model" in name or "projector" in name or "clock" in name:
            assert torch.equal(old[name], new[name])
    assert torch.equal(model.model.audio_tower.network.norm.weight, heard)
    for unlike in ({"n_layers": 3}, {"width": 128}):
        other = mini.model_copy(update={"language": mini.language.model_copy(update=unlike)})
        model, _ = new_model(other, encoder, processor.tokenizer)
        with pytest.raises(ConfigError, match=rf"set language\.{next(iter(unlike))}"):
            take_weights(model, earlier)


def test_agreement_is_told_with_notes_and_without(debug_run):
    from llark_py.model.checkpoint import load_model
    from llark_py.training import agreement

    folder, _ = debug_run
    model, processor = load_model(folder / "model", dtype="float32")
    shards = Shards(folder / "clips", "dev")
    heard = agreement.hear_clips(model.model.audio_tower, shards, 3)
    said = agreement.said_by_heads(heard, model.config.audio_config)

    def honest(self, recordings, questions):
        texts = []
        for question, heads in zip(questions, said, strict=True):
            if "genre" in question:
                texts.append(f"It is {heads['style']}.")
            elif "signature" in question:
                texts.append(f"It is in {heads['time_signature']}.")
            elif "Which" in question:
                texts.append(f"I hear {', '.join(sorted(heads['families']))}.")
            else:
                asked = question.split("any ")[1].split(" in this")[0]
                words = {FAMILY_WORDS.get(f, f) for f in heads["families"]}
                texts.append("Yes." if asked in words else "No.")
        return texts if recordings[0].notes else ["What?"] * len(questions)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agreement.Listener, "answer", honest)
        report = agreement.measure_agreement(model, processor, shards, 3)
    agreed = report["with notes"]
    assert agreed["style"] == agreed["time_signature"] == agreed["yes_no"] == 1.0
    assert agreed["families"] > report["without notes"]["families"] == 0.0
    assert report["without notes"]["style"] == report["without notes"]["yes_no"] == 0.0
