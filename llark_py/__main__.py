"""Runs the command line as `python -m llark_py`, which is how `accelerate launch -m` starts it."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
