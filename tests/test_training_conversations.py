"""Conversations to train on: what may be asked, batches by number, songs as they were heard."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from llark_py.encoders import build_encoder, encoder_config
from llark_py.encoders.mini import Heard
from llark_py.encoders.mini_form import Form, Section, Span
from llark_py.encoders.mini_notes import noted_sections
from llark_py.errors import ConfigError
from llark_py.track import Chord, Instrument, Note, Track
from llark_py.training.conversations import AboutClips, AboutSongs, Schedule
from llark_py.training.course import activity_agreement, told_instruments
from llark_py.training.dialogues import Topic, write_chats
from llark_py.training.hearing import join_rows, judge, pad_frames, pick_rows
from llark_py.training.recipe import LanguageSettings, SongSettings, load_recipe
from llark_py.training.songs import Songs, make_songs, plan_songs

CONFIG = encoder_config(
    "mini",
    width=64,
    n_layers=1,
    styles=["jazz", "rock"],
    families=["bass", "piano"],
    instruments=["acoustic bass", "piano"],
    time_signatures=["4/4", "3/4"],
    song_frames=True,
)
BEATS = tuple(0.5 * i for i in range(20))
TRACK = Track(
    id="made",
    duration_s=10.0,
    tempo_bpm=120.0,
    time_signature="4/4",
    key="A minor",
    beats_s=BEATS,
    downbeats_s=BEATS[::4],
    instruments=(Instrument("piano", "piano", "melody", ((0.0, 10.0),)),),
    lead="piano",
    notes=tuple(Note(t, t + 0.4, 69, 90, "piano") for t in BEATS),
    genre="rock",
    mood="moody",
)
FORM = Form(10.0, {"piano": (Span(0.0, 10.0),)})


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return build_encoder(CONFIG).eval()


class Clips:
    """Stands in for shards on disk."""

    def __init__(self, n=12):
        self.tracks = [TRACK] * n

    def __len__(self):
        return len(self.tracks)

    def features(self, index):
        return np.random.default_rng(index).normal(0, 1, (100, 488)).astype(np.float32)


def certain(track, **changes):
    """What heads that are right and sure hear of a track, but for some changes."""
    wanted = {
        "style": track.genre,
        "time_signature": track.time_signature,
        "lead": track.lead,
        "density": "sparse",
        "key": track.key,
    } | changes
    said = {}
    for head, names in CONFIG.labels.items():
        row = np.full(len(names), 0.02)
        if head in ("families", "instruments"):
            listed = [
                getattr(i, "family" if head == "families" else "name") for i in track.instruments
            ]
            row[[n in listed for n in names]] = 0.98
        elif head == "tempo":
            row[np.abs(CONFIG.tempo_bins_bpm - track.tempo_bpm).argmin()] = 50
        elif wanted.get(head) in names:
            row[names.index(wanted[head])] = 50
        said[head] = torch.tensor(row if head == "families" else row / row.sum())[None].float()
    return Heard(torch.zeros(1, 3, 64), said, {})


def test_sure_and_right_heads_leave_the_facts_alone():
    known, unsure = judge(TRACK, certain(TRACK), 0, CONFIG, FORM)
    assert known == TRACK and unsure == frozenset()


def test_a_fact_that_is_surely_heard_otherwise_is_not_asked_for():
    heard = certain(TRACK, style="jazz", time_signature="3/4", lead="acoustic bass")
    known, unsure = judge(TRACK, heard, 0, CONFIG, FORM)
    assert known.genre is None and known.time_signature is None and known.key == TRACK.key
    assert unsure == {"lead"}


def test_what_the_heads_are_not_sure_of_is_hedged():
    heard = certain(TRACK)
    heard.posteriors["style"] = torch.tensor([[0.45, 0.55]])
    heard.posteriors["families"] = torch.tensor([[0.02, 0.4]])
    known, unsure = judge(TRACK, heard, 0, CONFIG, FORM)
    assert known.genre == "rock" and {"style", "mood", "instruments"} <= unsure


def test_who_plays_is_told_as_it_is_heard():
    heard = certain(TRACK)
    heard.posteriors["families"] = torch.tensor([[0.99, 0.9]])
    known, unsure = judge(TRACK, heard, 0, CONFIG, FORM)
    assert [(i.name, i.role) for i in known.instruments] == [
        ("acoustic bass", "bass"),
        ("piano", "melody"),
    ]
    assert known.lead == "piano" and "instruments" not in unsure
    heard.posteriors["families"] = torch.tensor([[0.9, 0.1]])
    heard.posteriors["lead"] = torch.tensor([[0.7, 0.2, 0.1]])
    known, unsure = judge(TRACK, heard, 0, CONFIG, FORM)
    assert [i.name for i in known.instruments] == ["acoustic bass"] == [known.lead]


def test_where_no_family_is_heard_the_likeliest_is_told_as_a_guess():
    heard = certain(TRACK)
    heard.posteriors["families"] = torch.tensor([[0.2, 0.3]])
    known, unsure = judge(TRACK, heard, 0, CONFIG, FORM)
    assert [i.name for i in known.instruments] == ["piano"] and "instruments" in unsure


def test_what_is_called_otherwise_gets_the_name_that_is_heard():
    track = TRACK.model_copy(
        update={"instruments": (TRACK.instruments[0]._replace(name="celesta"),), "lead": "celesta"}
    )
    known, _ = judge(track, certain(TRACK), 0, CONFIG, FORM)
    assert [i.name for i in known.instruments] == ["piano"] == [known.lead]


def test_families_that_may_play_are_among_what_is_unsure():
    heard = certain(TRACK)
    heard.posteriors["families"] = torch.tensor([[0.25, 0.99]])
    known, unsure = judge(TRACK, heard, 0, CONFIG, FORM)
    assert [i.name for i in known.instruments] == ["piano"] and "bass" in unsure
    heard.posteriors["families"] = torch.tensor([[0.1, 0.99]])
    assert "bass" not in judge(TRACK, heard, 0, CONFIG, FORM)[1]


def test_sounds_that_are_no_music_have_no_line_up():
    noise = Track(id="n", duration_s=10, sound="noise")
    assert judge(noise, certain(TRACK), 0, CONFIG, FORM) == (noise, frozenset())


@pytest.mark.parametrize(
    ("played", "p", "sure"), [("A:min7", 0.9, True), ("A:min7", 0.4, False), ("C", 0.9, False)]
)
def test_chords_are_told_as_facts_when_they_are_surely_heard(played, p, sure):
    heard = certain(TRACK)
    chord = torch.full((1, 80, 25), (1 - p) / 24)
    chord[..., 12 + 9] = p
    beat = torch.tensor([[[0.1, 0.9, 0.0] if i % 5 == 0 else [1.0, 0.0, 0.0] for i in range(80)]])
    heard.frame_posteriors.update(chord=chord, beat=beat)
    track = TRACK.model_copy(update={"chords": (Chord(0.0, 10.0, played),)})
    assert ("chords" not in judge(track, heard, 0, CONFIG, FORM)[1]) is sure


SECTIONS = ((0.0, 30.0, "verse"), (30.0, 61.0, "chorus"))


@pytest.mark.parametrize(
    ("heard", "told", "sure"),
    [
        (((0.0, 28.4, "A"), (28.4, 61.0, "B")), ((0.0, 28.0, "A"), (28.0, 61.0, "B")), True),
        (((0.0, 10.2, "A"), (10.2, 31.0, "A"), (31.0, 61.0, "B")),
         ((0.0, 31.0, "A"), (31.0, 61.0, "B")), True),
        (((0.0, 12.0, "verse"), (12.0, 61.0, "chorus")), (), False),
        ((), (), False),
    ],
)  # fmt: skip
def test_the_form_is_told_as_it_is_noted_where_it_was_heard(heard, told, sure):
    song = TRACK.model_copy(
        update={"sections": tuple(Section(*s) for s in SECTIONS), "duration_s": 61.0}
    )
    form = Form(61.0, {}, tuple(Section(*s) for s in heard))
    known, unsure = judge(song, certain(TRACK), 0, CONFIG, form)
    assert known.sections == told and ("sections" not in unsure) is sure
    noted = [(int(start_s), label) for start_s, label in noted_sections(form)]
    assert [(s.start_s, s.label) for s in known.sections] == noted[: len(told)]


def test_entrances_are_told_at_the_second_that_is_noted():
    song = TRACK.model_copy(
        update={
            "instruments": (
                Instrument("grand piano", "piano", "pad", ((12.9, 30.2), (44.0, 61.0))),
                Instrument("violin", "strings", "lead", ((5.0, 61.0),)),
                Instrument("cello", "strings", "bass", ((9.0, 61.0),)),
            )
        }
    )
    spans = {"piano": (Span(11.3, 31.0), Span(50.0, 61.0)), "strings": (Span(4.0, 61.0),)}
    piano, violin, cello = told_instruments(song, Form(61.0, spans))
    assert piano.activity == ((11.0, 31.0), (44.0, 61.0))
    assert (violin, cello) == song.instruments[1:]  # which of the two was heard is not known


def test_entrances_that_were_heard_elsewhere_are_hedged():
    assert activity_agreement(TRACK, FORM) == 1.0
    late = Form(10.0, {"piano": (Span(6.0, 10.0),), "bass": (Span(0.0, 2.0),)})
    assert activity_agreement(TRACK, late) == pytest.approx(0.4)
    assert judge(TRACK, certain(TRACK), 0, CONFIG, late)[1] == {"activity"}


def test_one_conversation_in_ten_comes_without_notes():
    topics = [Topic(TRACK, "heard: 0:08; style rock; music")] * 1200
    chats, sounds = write_chats(topics, "Listen.", [], 1, random.Random(0))
    heard = [i for i, row in enumerate(sounds) if row]
    texts = [str(chats[i]) for i in heard]
    assert 0.86 < np.mean(["heard: 0:08; style rock; music" in t for t in texts]) < 0.94
    assert not any("heard: 0:08" in str(c) for i, c in enumerate(chats) if i not in heard)


def test_rows_that_are_parted_and_joined_are_the_same(encoder):
    with torch.no_grad():
        heard = encoder.hear(torch.randn(3, 30, 488))
        again = join_rows([pick_rows(heard, [i]) for i in range(3)])
        assert torch.equal(encoder.assemble(again), encoder.assemble(heard))
    padded = pad_frames([torch.ones(2, 4), torch.ones(3, 4)])
    assert padded["input_features"].shape == (2, 3, 4)
    assert padded["input_features_mask"].tolist() == [[True, True, False], [True] * 3]


def settings(**changes):
    return LanguageSettings(
        **{"batch_size": 4, "macro_batches": 3, "notes": True, "song_frames": True}
        # Its tokenizer knows hardly a word: the names of the tools alone are 200 tokens.
        | {"max_text_tokens": 900}
        | changes
    )


@pytest.fixture(scope="module")
def processor():
    from llark_py.instruct.tokenizer import train_tokenizer
    from llark_py.model import LlarkProcessor
    from llark_py.model.feature_extraction import LlarkFeatureExtractor

    words = ["What genre is this? It is rock. <tool_call>"] * 9
    return LlarkProcessor(LlarkFeatureExtractor(CONFIG), train_tokenizer(words, 400))


def maker(encoder, **changes):
    options = {"settings": settings(), "turns": 2, "families": None, "batch_size": 4}
    return AboutClips(Clips(), encoder, **{**options, "seed": "a", **changes})


def same(a, b):
    return (
        torch.equal(a["input_ids"], b["input_ids"])
        if a["input_ids"].shape == b["input_ids"].shape
        else False
    )


def test_a_batch_depends_on_its_number_alone(encoder, processor):
    one, other = maker(encoder), maker(encoder)
    batches = [one.batch(n, processor) for n in range(7)]
    late = other.batch(5, processor)
    assert same(late, batches[5])
    heard, again = batches[5]["heard"][0][0], late["heard"][0][0]
    assert torch.equal(heard.posteriors["style"], again.posteriors["style"])
    assert not any(same(batches[0], b) for b in batches[1:])
    assert not same(maker(encoder, seed="b").batch(5, processor), late)


def test_batches_hold_rows_of_like_length(encoder, processor):
    def padding(macro_batches):
        long = settings(macro_batches=macro_batches, max_text_tokens=4_000)
        made = maker(encoder, settings=long, turns=3)
        masks = [made.batch(n, processor)["attention_mask"] for n in range(8)]
        return 1 - sum(m.sum() for m in masks) / sum(m.numel() for m in masks)

    assert padding(8) < 0.6 * padding(1)


def test_batches_bring_a_frame_for_each_placeholder(encoder, processor):
    batch = maker(encoder).batch(0, processor)
    n_frames = [encoder.assemble(heard, forms).shape[:2].numel() for heard, forms in batch["heard"]]
    assert (batch["input_ids"] == processor.audio_token_id).sum() == sum(n_frames)
    read = maker(None, families=["tempo"]).batch(0, processor)
    assert "heard" not in read and read["input_features"].shape[1:] == (1, 64)


def test_kinds_take_turns_and_none_is_left_out(processor):
    class Counts:
        def __init__(self):
            self.numbers = []

        def batch(self, number, processor):
            self.numbers.append(number)
            return {}

    makers = {"all": Counts(), "ear": Counts(), "words": Counts()}
    schedule = Schedule(["all", "ear", "all", "words"], makers, processor)
    for step in range(8):
        schedule([step])
    assert makers["all"].numbers == [0, 1, 2, 3] and makers["ear"].numbers == [0, 1]


def test_songs_are_kept_as_they_were_heard(encoder, processor, tmp_path):
    encoder.save_pretrained(tmp_path / "encoder")
    plan = SongSettings(n=3, shortest_s=20, longest_s=24, shard_size=2, workers=1)
    make_songs(plan, ["timgm"], tmp_path / "encoder", tmp_path / "songs")
    assert len(plan_songs(plan, ["timgm"], tmp_path, tmp_path)) == 2
    assert not list((tmp_path / "songs").glob("*.part*"))
    songs = Songs(tmp_path / "songs")
    song = songs[2]
    assert len(songs) == 3 and 15 <= song.track.duration_s <= 40 and song.track.sections
    assert song.notes.startswith("heard: 0:") and isinstance(song.form, Form)
    n_frames = next(iter(song.heard.frame_posteriors.values())).shape[1]
    frames = encoder.assemble(song.heard, [song.form])
    assert frames.shape[1] == CONFIG.num_output_frames(n_frames)
    about = AboutSongs(
        songs,
        CONFIG,
        settings=settings(macro_batches=1),
        turns=2,
        families=None,
        seed="s",
        batch_size=3,
    )
    batch = about.batch(0, processor)
    counts = [encoder.assemble(h, f).shape[1] for h, f in batch["heard"]]
    assert (batch["input_ids"] == processor.audio_token_id).sum() == sum(counts)


def test_songs_that_are_there_are_not_made_again(encoder, tmp_path, monkeypatch):
    plan = SongSettings(n=3, shard_size=2, workers=1)
    (tmp_path / "songs_00000.safetensors").touch()
    made = []
    monkeypatch.setattr("llark_py.training.songs.make_song_shard", lambda job: made.append(job.n))
    make_songs(plan, ["timgm"], tmp_path, tmp_path)
    assert made == [1]


def test_questions_about_songs_need_songs():
    with pytest.raises(ConfigError, match=r"songs\.n > 0"):
        load_recipe("debug", ["mini.songs.n=0"])
    with pytest.raises(ConfigError, match="shortest_s"):
        load_recipe("debug", ["mini.songs.shortest_s=40"])
