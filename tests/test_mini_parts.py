"""Who plays which pitch: the labels, the network that tells it, its loss and its score."""

from __future__ import annotations

import pytest
import torch

from llark_py.encoders import build_encoder, encoder_config
from llark_py.encoders.mini_features import split_streams, standardise
from llark_py.encoders.mini_parts import PART_PITCHES, PartNetwork
from llark_py.track import Instrument, Note, Track
from llark_py.training.encoder import parts_loss
from llark_py.training.labels import batch_labels, part_labels
from llark_py.training.recipe import ClipSettings
from llark_py.training.scoring import part_f1
from llark_py.training.shards import Shards, make_shards
from llark_py.training.windows import plain_batch

FAMILIES = ["piano", "strings", "drums"]


def track(*instruments: tuple[str, str], notes: tuple[Note, ...] = ()) -> Track:
    listed = (Instrument(name, family, "chords", ((0.0, 4.0),)) for name, family in instruments)
    return Track(id="t", duration_s=4.0, instruments=tuple(listed), notes=notes)


def test_a_note_is_marked_at_its_pitch_from_its_start_to_its_end():
    notes = (
        Note(1.0, 2.0, 60, 80, "piano"),
        Note(1.9, 1.95, 62, 80, "cello"),  # between two frames: still one
        Note(0.0, 9.0, 23, 80, "piano"),  # below the lowest pitch
        Note(0.0, 1.0, 60, 80, "kazoo"),  # nobody's
    )
    marks = part_labels(track(("piano", "piano"), ("cello", "strings"), notes=notes), 31, FAMILIES)
    assert marks.shape == (16, PART_PITCHES, 3)
    assert marks[:, 36, 0].nonzero()[0].tolist() == [5, 6, 7, 8, 9]  # 1.0, 1.2, ... 1.8 s
    assert marks[:, 38, 1].nonzero()[0].tolist() == [10]
    assert marks.sum() == 6


def test_drums_alone_have_no_pitches_and_unknown_notes_no_labels():
    assert (part_labels(track(("drums", "drums")), 10, FAMILIES) == 0).all()
    assert (part_labels(Track(id="n", duration_s=1.0, sound="noise"), 10, FAMILIES) == 0).all()
    unknown = torch.from_numpy(part_labels(track(("piano", "piano")), 10, FAMILIES))
    assert unknown.isnan().all()
    logits = torch.randn(2, *unknown.shape, requires_grad=True)
    known = torch.zeros_like(unknown)
    both = parts_loss(logits, torch.stack([unknown, known]))
    torch.testing.assert_close(both, parts_loss(logits[1:], known[None]))
    assert parts_loss(logits[:1], unknown[None]).item() == 0


def test_a_tune_a_semitone_higher_is_told_a_semitone_higher():
    torch.manual_seed(0)
    network = PartNetwork(64, 3).eval()
    pitch, frames = torch.full((1, 9, 168), -2.0), torch.zeros(1, 9, 64)
    pitch[:, :, 60:100] = torch.randn(1, 9, 40)
    with torch.no_grad():
        low, added = network(pitch, frames)
        high, _ = network(pitch.roll(2, -1), frames)
    assert low.shape == (1, 5, PART_PITCHES, 3) and added.shape == frames.shape
    middle = slice(8, 70)
    torch.testing.assert_close(high[:, :, 9:71], low[:, :, middle], atol=1e-5, rtol=0)
    assert low[:, :, middle].std() > 1e-4


@pytest.mark.parametrize("n_frames", [1, 7, 84])
def test_an_encoder_tells_the_parts_of_windows_of_any_length(n_frames):
    settings = {"width": 64, "n_layers": 1, "stem": "residual", "stem_channels": 16}
    encoder = build_encoder(encoder_config("mini", parts=True, families=FAMILIES, **settings))
    out = encoder.network(torch.randn(2, n_frames, 488))
    assert out.parts is not None and out.parts.shape == (2, -(-n_frames // 2), 84, 3)
    assert out.frame_logits["activity"].shape == (2, n_frames, 3)
    labels = batch_labels([track(("piano", "piano"))] * 2, n_frames, encoder.config)
    assert labels["parts"].shape == out.parts.shape


def test_families_are_learned_from_notes_alone(tmp_path):
    settings = ClipSettings(n=8, n_dev=4, shard_size=8, workers=1, soundfonts=["synth"])
    make_shards(settings.model_copy(update={"dev_soundfont": "synth"}), tmp_path)
    shards = Shards(tmp_path, "dev")
    torch.manual_seed(0)
    config = encoder_config(
        "mini", width=64, n_layers=1, stem="residual", stem_channels=16, parts=True,
        families=["piano", "guitar", "bass", "strings", "brass", "woodwind", "organ", "synth"],
    )  # fmt: skip
    encoder = build_encoder(config)
    before = part_f1(encoder, shards, 2)
    assert before < 0.1
    features, tracks = plain_batch(shards, [0, 1])
    labels = batch_labels(tracks, features.shape[1], config)
    optimizer = torch.optim.AdamW(encoder.network.parts.parameters(), 1e-2)
    encoder.train()
    _, pitch = split_streams(standardise(features))
    frames = torch.zeros(*features.shape[:2], 64)
    for _ in range(100):
        optimizer.zero_grad()
        played, _ = encoder.network.parts(pitch, frames)
        (300 * parts_loss(played, labels["parts"])).backward()
        optimizer.step()
    assert part_f1(encoder, shards, 2) > 0.3
