"""Runs of published benchmarks: questions, who answers, blind rows, readers, scores and reports."""
