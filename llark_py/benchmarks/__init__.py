"""Benchmarks: questions with known answers, put to a model, and the scores of what it says.

Putting the questions and scoring the answers are separate steps over JSON lines, so that a run can
be scored again without the model.
"""

NOT_PARTS = ("asking", "parsing", "table", "trial")
