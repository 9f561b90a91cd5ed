"""Who plays, who sings and how a song is built: pooling, spans, tools and pictures."""

from __future__ import annotations

import json
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from llark_py.analysis import listening, structure, timbre
from llark_py.audio import Audio
from llark_py.benchmarks.sections import boundary_f
from llark_py.compose.clip import make_clip, make_song
from llark_py.encoders.mini_config import MiniEncoderConfig
from llark_py.encoders.mini_form import compare_moments
from llark_py.errors import ToolError
from llark_py.instruct.family_names import family_named
from llark_py.tools import Workspace, run_tool

RATE, SECONDS = 16_000, 40.0
FAMILIES = ["drums", "brass", "voice", "choir"]
INSTRUMENTS = ["drums", "trumpet", "trombone", "singer", "choir"]
SONG_SEED, SONG_S = 650_000_019, 60.0


def sounding(seconds=SECONDS):
    return Audio(np.full(int(seconds * RATE), 0.1, np.float32), RATE)


def played(*spans_s, seconds=SECONDS, level=0.9):
    """An activity that is high in some spans."""
    times = (np.arange(int(seconds * 10)) + 0.5) / 10
    activity = np.full(len(times), 0.02)
    for start_s, end_s in spans_s:
        activity[(start_s <= times) & (times < end_s)] = level
    return activity


@pytest.fixture
def hearing(monkeypatch):
    """Let the tools hear what a test says, by family: clip probability and activity."""

    def hear(clip, activity, *, families=FAMILIES, lead=(0.1, 0.6, 0.1, 0.1, 0.05, 0.05)):
        heads = {
            "families": np.array(clip),
            "activity_frames": np.stack(activity, 1),
            "instruments": np.array([0.9, 0.2, 0.7, 0.8, 0.3]),
            "lead": np.array(lead),
        }
        config = MiniEncoderConfig(
            families=list(families),
            instruments=INSTRUMENTS,
            thresholds={"families": [0.4] * len(families)},
        )
        posteriors = SimpleNamespace(unplayed=0.0)
        monkeypatch.setattr(timbre, "listen", lambda audio: posteriors)
        monkeypatch.setattr(timbre, "hear", lambda audio: SimpleNamespace(heads=lambda: heads))
        monkeypatch.setattr(timbre, "listener_config", lambda: config)

    return hear


@pytest.fixture
def band(hearing):
    """Drums throughout, brass for a quarter of the time, a singer twice, no choir."""
    always, solo = played((0, SECONDS)), played((20, 30))
    hearing([0.96, 0.55, 0.8, 0.1], [always, solo, played((5, 15), (25, 35)), played()])


@pytest.fixture(scope="module")
def song():
    with listening.hearing_with(None):
        yield make_song(SONG_SEED, SONG_S, "timgm")


def run(name, sound=None, workspace=None, /, **arguments):
    recordings = {"audio_1": sound or sounding()}
    return run_tool(name, arguments, recordings, workspace or Workspace())


# --- instruments of a family --------------------------------------------------------------


def test_a_family_is_likely_what_is_likely_in_it():
    p, least = np.array([0.9, 0.5, 0.7, 0.8, 0.3]), np.full(5, 0.4)
    likely = timbre.likely_instruments("brass", INSTRUMENTS, p, least)
    assert list(likely) == ["trombone", "trumpet"]
    assert timbre.likely_instruments("brass", INSTRUMENTS, p / 4, least) == {"trombone": 0.175}
    assert timbre.likely_instruments("organ", INSTRUMENTS, p, least) == {}


# --- what the model is shown ----------------------------------------------------------------


def test_the_model_is_shown_families_entrances_and_the_lead(band):
    result = run("detect_instruments")
    assert result.content == {
        "plays": "drums 0:00-end (0.96), voice 0:05-0:35 (0.80), brass 0:20-0:30 (0.55)",
        "lead": "trumpet",
        "lead_confidence": 0.6,
        "picture": None,
    }
    assert result.details["families"] == {"drums": 0.96, "voice": 0.8, "brass": 0.55}
    assert result.details["first_heard_s"] == {"drums": 0.0, "voice": 5.0, "brass": 20.0}
    drums, voice, brass = result.details["players"]
    assert drums["share"] == 1.0 and drums["spans_s"] == [[0.0, 40.0]]
    assert len(voice["spans_s"]) == 2 and voice["share"] == pytest.approx(0.5, abs=0.03)
    assert brass["instruments"] == {"trombone": 0.7}
    assert result.artefacts == () and json.loads(json.dumps(result.details)) == result.details


def test_of_one_instrument_it_is_told_when_its_family_enters_and_leaves(band):
    told = run("detect_instruments", instrument="the Trombone").content
    assert told == {"family": "brass", "enters": "0:20", "leaves": "0:30", "confidence": 0.55}
    drums = run("detect_instruments", instrument="drums")
    assert (drums.content["enters"], drums.content["leaves"]) == ("0:00", "end")
    assert len(drums.details["players"]) == 3
    silent = run("detect_instruments", instrument="choir").content
    assert silent == {
        "family": "choir", "enters": None, "leaves": None, "confidence": 0.1,
        "plays": "drums 0:00-end (0.96), voice 0:05-0:35 (0.80), brass 0:20-0:30 (0.55)",
    }  # fmt: skip
    drawn = run("detect_instruments", None, Workspace(), instrument="drums", picture=True)
    assert drawn.content["picture"] == drawn.artefacts[0]
    error = run("detect_instruments", instrument="kazoo").error
    assert 'no instrument "kazoo" is known' in error and "drums, " in error


@pytest.mark.parametrize(
    ("words", "family"),
    [
        ("Saxophone", "woodwind"),
        ("the french horns", "brass"),
        ("singers", "voice"),
        ("electric guitars", "guitar"),
        ("lead guitar", "guitar"),
        ("synthesizers", "synth"),
        ("mallet percussion", "mallet"),
        ("strings", "strings"),
        ("bass", "bass"),
        ("theremin-like thing", None),
        ("bass\n", None),
        ("", None),
    ],
)
def test_people_name_families_in_many_ways(words, family):
    assert family_named(words) == family


def test_who_never_sounds_does_not_play_however_likely(hearing):
    hearing([0.9, 0.9, 0.1, 0.1], [played((0, 40)), played((0, 40), level=0.3), played(), played()])
    assert list(run("detect_instruments").details["families"]) == ["drums"]


def test_single_hits_that_make_no_span_are_told(hearing):
    hits = played(*((t, t + 0.2) for t in range(2, 12, 4)))
    hearing([0.9, 0.1, 0.1, 0.1], [hits, played(), played(), played()])
    [drums] = run("detect_instruments").details["players"]
    assert drums["spans_s"] == [[2.0, 10.2]]


def test_where_nobody_is_sure_enough_the_likeliest_is_told_with_its_doubt(hearing):
    hearing([0.1, 0.3, 0.1, 0.1], [played(), played((4, 9), level=0.4), played(), played()])
    assert run("detect_instruments", None, Workspace(), picture=True).content["plays"] == (
        "brass 0:04-0:09 (0.30)"
    )
    assert timbre.measure_timbre(sounding()).players == ()


def test_a_sound_of_a_second_is_long_enough(hearing):
    hearing([0.9, 0.1, 0.1, 0.1], [played((0, 1.1), seconds=1.1), *[played(seconds=1.1)] * 3])
    assert list(run("detect_instruments", sounding(1.1)).details["families"]) == ["drums"]
    assert "shorter than 1 second" in run("detect_instruments", sounding(0.9)).error


def test_where_nobody_leads_there_is_no_lead(hearing):
    hearing([0.9, 0, 0, 0], [played((0, 40)), *[played()] * 3], lead=(0, 0.1, 0, 0, 0, 0.9))
    content = run("detect_instruments").content
    assert content["lead"] is None and content["lead_confidence"] is None


def test_spans_end_with_the_recording(hearing):
    hearing([0.9, 0, 0, 0], [played((0, 40)), *[played()] * 3])
    [drums] = run("detect_instruments", sounding(39.96)).details["players"]
    assert drums["spans_s"] == [[0.0, 40.0]] and drums["share"] == 1.0
    [player] = timbre.measure_timbre(sounding(39.96)).players
    assert player.spans[-1].end_s == pytest.approx(39.96)


def test_singing_has_times_and_a_share(band):
    result = run("detect_vocals")
    content = result.content
    assert content["singing"] is True and content["confidence"] == 0.8
    assert result.details["first_sung_s"] == pytest.approx(5, abs=0.5)
    assert result.details["last_sung_s"] == pytest.approx(35, abs=0.5)
    assert content["sung_percent"] == pytest.approx(50, abs=3)
    assert (content["choir"], content["choir_confidence"]) == (False, 0.9)


def test_a_choir_is_no_singer(hearing):
    hearing([0.9, 0, 0.05, 0.9], [played((0, 40)), played(), played(), played((10, 30))])
    result = run("detect_vocals")
    assert result.content["singing"] is False and result.content["confidence"] > 0.9
    assert result.content["sung"] is None and result.content["sung_percent"] == 0
    assert result.content["choir"] is True and len(result.details["choir_spans_s"]) == 1


def test_talking_is_not_singing():
    content = run("detect_vocals", make_clip(1, 6.0, "timgm", sound="speech")[1]).content
    assert (content["singing"], content["choir"]) == (False, False)


def test_an_encoder_without_voices_says_so(hearing):
    hearing([0.9, 0.1], [played((0, 40)), played()], families=["drums", "brass"])
    assert "knows no" in run("detect_vocals").error


# --- form -----------------------------------------------------------------------------------


def test_names_get_letters_that_no_section_has():
    labels = ["intro", "A", "chorus", "A", "chorus", "outro"]
    assert "".join(structure.assign_letters(labels)) == "BACACD"
    assert structure.assign_letters(list("AABA")) == list("AABA")
    every = structure.assign_letters(["intro", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "outro"])
    assert len(set(every)) == 28


def test_moments_that_return_are_alike():
    rng = np.random.default_rng(0)
    parts = {name: rng.normal(size=8) for name in "AB"}
    tokens = np.repeat([parts[name] for name in "ABA"], 100, axis=0)
    alike = compare_moments(tokens, np.abs(tokens))
    assert alike.shape == (60, 60) and np.allclose(alike, alike.T, atol=1e-6)
    assert alike[10, 50] > 0.9 > 0 > alike[10, 30]


# --- a composed song ------------------------------------------------------------------------


def test_a_composed_song_is_told_as_it_was_written(song):
    track, audio = song
    found = run("detect_instruments", audio).details
    truth, said = set(track.families), set(found["families"])
    assert 2 * len(truth & said) / (len(truth) + len(said)) >= 0.7
    [singer] = [i for i in track.instruments if i.family == "voice"]
    sung = run("detect_vocals", audio)
    assert sung.content["singing"]
    assert sung.details["first_sung_s"] == pytest.approx(singer.activity[0][0], abs=3)

    form = run("find_sections", audio)
    boundaries = [s.start_s for s in track.sections if s.start_s > 0]
    assert boundary_f(boundaries, form.details["boundaries_s"], track.duration_s) >= 0.6
    parts = form.details["sections"]
    assert parts[0]["start_s"] == 0 and parts[-1]["end_s"] <= round(audio.duration_s, 1)
    assert all(a["end_s"] == b["start_s"] for a, b in pairwise(parts))
    assert form.content["section_count"] == len(parts) == len(form.details["form"].split())


@pytest.mark.parametrize("name", ["detect_instruments", "find_sections"])
def test_pictures_are_opaque_and_only_drawn_when_wanted(song, name, tmp_path):
    from matplotlib.image import imread

    workspace = Workspace(tmp_path)
    assert run(name, song[1], workspace).artefacts == () and not list(tmp_path.iterdir())
    result = run(name, song[1], workspace, picture=True)
    [artefact] = workspace.artefacts
    assert result.content["picture"] == artefact.id == result.artefacts[0]
    assert (artefact.kind, artefact.media_type) == ("image", "image/png")
    pixels = imread(artefact.path)
    assert pixels.shape[1] > 600 and np.all(pixels[..., 3:] == 1) and pixels[..., :3].std() > 0.05


def test_where_no_family_is_sure_the_likeliest_is_named_and_nothing_drawn(hearing, tmp_path):
    hearing([0.1, 0.15, 0.1, 0.1], [played()] * 4)
    result = run("detect_instruments", None, Workspace(tmp_path), picture=True)
    assert "the likeliest is brass (0.15)" in result.error and not list(tmp_path.iterdir())
    assert run("detect_vocals").content["singing"] is False


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["detect_instruments", "detect_vocals", "find_sections"])
def test_what_is_silent_short_or_no_music_is_refused(name):
    assert (
        run(name, Audio(np.zeros(RATE * 30, np.float32), RATE)).error == "the recording is silent"
    )
    assert "shorter than" in run(name, sounding(0.9)).error
    _, noise = make_clip(1, 25.0, "timgm", sound="noise")
    assert run(name, noise).error == "the recording does not sound like music"


def test_similarity_is_refused_like_the_sections():
    with pytest.raises(ToolError, match="shorter than 20 seconds"):
        structure.measure_similarity(sounding(10.0))


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("detect_instruments", {"picture": "x" * 10_000}, "argument 'picture'"),
        ("find_sections", {"picture": float("nan")}, "argument 'picture'"),
        ("find_sections", {"picture": None}, "argument 'picture'"),
        ("detect_vocals", {"start_s": -3}, "takes no argument 'start_s'; it takes audio"),
        ("find_sections", {"audio": "../../etc/passwd"}, "there is no recording"),
    ],
)
def test_hostile_arguments_are_answered_with_a_sentence(name, arguments, error):
    assert error in run(name, **arguments).error
