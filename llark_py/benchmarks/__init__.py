"""Benchmarks: questions with known answers, put to a model, and the scores of what it says.

A benchmark has `ask_all(model, processor, trial, book)`, which asks what the book of answers does
not hold yet, and `report(rows, settings, folder, plots)`, which scores it. They are separate steps
over JSON lines, so that a run can be cut off and go on, and be scored again without the model.
Published benchmarks are parts of `published`; `qa` runs them.
"""

NOT_PARTS = (
    "answers",
    "asking",
    "baselines",
    "call_checks",
    "chapters",
    "clips",
    "estimates",
    "heads",
    "kept_report",
    "listening_report",
    "listening_sets",
    "measuring",
    "paraphrases",
    "parsing",
    "plots",
    "published",
    "qa",
    "questions",
    "real",
    "reliability",
    "running",
    "scores",
    "scripts",
    "sections",
    "separated_once",
    "set_runs",
    "songs",
    "spoken_times",
    "table",
    "trial",
    "typed_checks",
    "typed_questions",
)
