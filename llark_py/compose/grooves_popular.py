"""Grooves of the styles that were added later, each with what tells it from its neighbours."""

from __future__ import annotations

from .grooves import FIRST_GROOVES, Groove, every

_HATS = (every(0.5, 4), every(0.25, 4))
_THREE = {"kick": (5, ((0.0,),)), "closed hi-hat": (-25, (every(0.5, 3), every(1, 3)))}

_MORE: dict[str, dict[str, Groove]] = {
    "pop": {
        "4/4": {
            "kick": (6, ((0, 1.5, 2, 3.5), (0, 2, 2.5), (0, 1.5, 2.5), (0, 1, 2, 3))),
            "snare": (2, ((1, 3),)),
            "clap": (-4, ((1, 3), ())),
            "closed hi-hat": (-26, _HATS),
            "tambourine": (-24, ((), every(0.5, 4), (1, 3))),
            "shaker": (-26, ((), every(0.25, 4))),
        },
        "3/4": {**_THREE, "snare": (2, ((2,), (1, 2))), "shaker": (-26, (every(0.5, 3), ()))},
        "6/8": {**_THREE, "snare": (4, ((1.5,),)), "tambourine": (-22, ((1.5,), ()))},
    },
    # Triplets come from the swing of the style.
    "shuffle": {
        "4/4": {
            "kick": (4, ((0, 2), (0, 2, 2.5), (0, 1.5, 2), (0, 2, 3.5))),
            "snare": (4, ((1, 3),)),
            "closed hi-hat": (-20, (every(0.5, 4), every(0.5, 4), every(1, 4))),
        },
        "3/4": {**_THREE, "snare": (2, ((1, 2), (2,)))},
        "6/8": {"kick": (4, ((0,), (0, 1))), "snare": (4, ((1.5,),)),
                "ride cymbal": (-16, (every(0.5, 3),))},
    },
    "funk": {
        "4/4": {
            "kick": (6, ((0, 0.75, 2.5), (0, 1.75, 2.5), (0, 0.5, 2.25, 2.75), (0, 1.5, 2.75))),
            "snare": (6, ((1, 3), (1, 1.75, 3), (1, 2.25, 3, 3.75))),
            "closed hi-hat": (-22, (every(0.25, 4), every(0.25, 4), every(0.5, 4))),
            "open hi-hat": (-20, ((3.5,), (1.5,), ())),
            "cowbell": (-18, ((), (), every(1, 4))),
        },
        "3/4": {"kick": (6, ((0, 0.75), (0, 1.25))), "snare": (5, ((2,), (1, 2.25))),
                "closed hi-hat": (-22, (every(0.25, 3),))},
        "6/8": {"kick": (6, ((0, 1.25), (0, 0.75))), "snare": (5, ((1.5,),)),
                "closed hi-hat": (-22, (every(0.25, 3),))},
    },
    # One drop: the beats are left empty, kick and rim fall on the backbeat together.
    "reggae": {
        "4/4": {
            "kick": (8, ((1, 3), (1, 3), (0, 1, 2, 3))),
            "rim shot": (4, ((1, 3), (1, 3), (1, 2.75, 3))),
            "closed hi-hat": (-18, (every(0.5, 4), every(1, 4, 0.5))),
            "timbale": (-8, ((), (), (3.5, 3.75))),
        },
        "3/4": {
            "kick": (8, ((1,),)),
            "rim shot": (4, ((1,),)),
            "closed hi-hat": (-18, (every(0.5, 3),)),
        },
        "6/8": {
            "kick": (8, ((1.5,),)),
            "rim shot": (4, ((1.5,),)),
            "closed hi-hat": (-18, (every(0.5, 3),)),
        },
    },
    # A train: sixteenths on the snare, accents between the beats.
    "train": {
        "4/4": {
            "kick": (2, ((0, 2), (0, 1, 2, 3))),
            "snare": (-22, (every(0.25, 4), every(0.5, 4))),
            "rim shot": (-6, (every(1, 4, 0.5), (1, 3))),
            "tambourine": (-22, ((), (1, 3))),
        },
        "3/4": {"kick": (2, ((0,),)), "snare": (-16, ((1, 2), (1, 1.5, 2))),
                "closed hi-hat": (-26, (every(1, 3),))},
        "6/8": {"kick": (2, ((0,),)), "snare": (-14, ((1.5,), (1.5, 2.5))),
                "closed hi-hat": (-26, (every(0.5, 3),))},
    },
    "bossa": {
        "4/4": {
            "kick": (-14, ((0, 1.5, 2, 3.5),)),
            "rim shot": (-8, ((0, 1.5, 3), (0, 1.5, 3), (0.5, 1.5, 3))),
            "closed hi-hat": (-28, (every(0.5, 4),)),
            "shaker": (-28, ((), every(0.25, 4))),
        },
        "3/4": {"kick": (-14, ((0, 1.5),)), "rim shot": (-8, ((0, 1.5, 2.5),)),
                "closed hi-hat": (-28, (every(0.5, 3),))},
        "6/8": {"kick": (-14, ((0, 1.5),)), "rim shot": (-8, ((0, 1, 2),)),
                "closed hi-hat": (-28, (every(0.5, 3),))},
    },
    "disco": {
        "4/4": {
            "kick": (8, ((0, 1, 2, 3),)),
            "snare": (0, ((1, 3),)),
            "clap": (-2, ((1, 3), ())),
            "open hi-hat": (-12, (every(1, 4, 0.5),)),
            "closed hi-hat": (-24, (every(1, 4), every(0.25, 4))),
            "tambourine": (-20, (every(0.5, 4), ())),
            "high bongo": (-16, ((), (0.75, 1.5, 2.75, 3.5))),
        },
        "3/4": {"kick": (8, ((0, 1, 2),)), "snare": (0, ((2,),)),
                "open hi-hat": (-12, (every(1, 3, 0.5),))},
        "6/8": {"kick": (8, ((0, 1.5),)), "snare": (0, ((1.5,),)),
                "open hi-hat": (-14, ((1.0, 2.5),))},
    },
    "punk": {
        "4/4": {
            "kick": (8, ((0, 1.5, 2), (0, 2), (0, 0.5, 2, 2.5))),
            "snare": (10, ((1, 3), (1, 3), every(1, 4, 0.5))),
            "open hi-hat": (-12, (every(0.5, 4), every(1, 4))),
            "crash cymbal": (-8, ((), every(1, 4))),
        },
        "3/4": {"kick": (8, ((0,),)), "snare": (10, ((1, 2), (2,))),
                "open hi-hat": (-12, (every(1, 3),))},
        "6/8": {"kick": (8, ((0, 1),)), "snare": (10, ((1.5,),)),
                "open hi-hat": (-12, (every(0.5, 3),))},
    },
    "gospel": {
        "4/4": {
            "kick": (2, ((0, 2), (0, 1.5, 2), (0, 2, 3.5))),
            "clap": (2, ((1, 3),)),
            "snare": (-4, ((1, 3), ())),
            "tambourine": (-10, (every(0.5, 4), (1, 3), every(0.25, 4))),
        },
        "3/4": {"kick": (2, ((0,),)), "clap": (0, ((1, 2),)),
                "tambourine": (-12, ((1, 2), every(0.5, 3)))},
        "6/8": {"kick": (2, ((0,), (0, 1))), "clap": (2, ((1.5,),)),
                "tambourine": (-12, (every(0.5, 3),))},
    },
    # A frame drum and a shaker: the bodhran rocks between low and high.
    "celtic": {
        "4/4": {
            "low conga": (0, ((0, 2), (0, 1, 2, 3))),
            "conga": (-16, (every(0.25, 4), every(0.5, 4))),
            "tambourine": (-24, ((), (1, 3))),
        },
        "3/4": {"low conga": (0, ((0,),)), "conga": (-14, ((1, 2), every(0.5, 3)))},
        "6/8": {"low conga": (2, ((0, 1.5), (0, 1.0, 1.5, 2.5))),
                "conga": (-16, (every(0.5, 3),)), "tambourine": (-24, ((), (1.5,)))},
    },
    "two beat": {
        "4/4": {
            "kick": (-4, ((0, 2),)),
            "snare": (-14, ((1, 3),)),
            "closed hi-hat": (-26, ((1, 3), every(0.5, 4))),
            "cowbell": (-22, ((), (3.5,))),
        },
        "3/4": {"kick": (-4, ((0,),)), "snare": (-14, ((1, 2),))},
        "6/8": {"kick": (-4, ((0,),)), "snare": (-14, ((1.5,),))},
    },
    "breakbeat": {
        "4/4": {
            "kick": (8, ((0, 2.5), (0, 0.5, 2.5), (0, 2.5, 2.75))),
            "snare": (8, ((1, 3), (1, 1.75, 3), (1, 1.75, 2.25, 3), (1, 3, 3.75))),
            "closed hi-hat": (-22, (every(0.5, 4), every(0.25, 4))),
            "ride cymbal": (-22, ((), every(0.5, 4))),
        },
        "3/4": {"kick": (8, ((0, 1.5),)), "snare": (8, ((1, 2.25), (2,))),
                "closed hi-hat": (-22, (every(0.25, 3),))},
        "6/8": {"kick": (8, ((0, 1.25),)), "snare": (8, ((1.5,), (1.5, 2.75))),
                "closed hi-hat": (-22, (every(0.25, 3),))},
    },
    # Hands only: for small ensembles that want rhythm and have no kit.
    "hand drums": {
        "4/4": {
            "low conga": (2, ((0, 2.5), (0, 1.5, 2.5))),
            "conga": (-4, ((1, 3, 3.5), (0.5, 1, 2, 3))),
            "high bongo": (-8, (every(0.5, 4), (0.5, 1.5, 2.5, 3, 3.5), ())),
            "low bongo": (-8, ((1.5, 3.5), (3,), ())),
            "shaker": (-22, (every(0.25, 4), every(0.5, 4), ())),
            "triangle": (-18, ((), (), (0, 2))),
        },
        "3/4": {"low conga": (2, ((0,),)), "conga": (-4, ((1, 2), (1, 2, 2.5))),
                "shaker": (-22, (every(0.5, 3), ()))},
        "6/8": {"low conga": (2, ((0,), (0, 1.5))), "conga": (-4, ((1, 2.5), (1, 1.5, 2.5))),
                "shaker": (-22, (every(0.5, 3),))},
    },
}  # fmt: skip

GROOVES = FIRST_GROOVES | _MORE
"""Name of a kit -> metre -> groove."""
