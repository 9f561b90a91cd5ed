"""Published benchmarks, one a file; the file's name is the name of the task.

A part has `TASK`, a `qa.task.Task`: how its official files are read, what is asked, how answers are
read (several ways side by side), and how they are scored.
"""
