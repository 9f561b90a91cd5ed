"""Write conversations about an annotated dataset, to fine-tune on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def instruct(
    dataset: Annotated[str, typer.Argument(help="Which kind of dataset: composed, table.")],
    root: Annotated[Path, typer.Argument(help="Its folder or file.")],
    out: Annotated[Path, typer.Argument(help="JSON lines to write.")],
    turns: Annotated[int, typer.Option(min=1, help="Questions in a conversation.")] = 3,
    per_track: Annotated[int, typer.Option(min=1, help="Conversations about a recording.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed writes the same conversations.")] = 0,
) -> None:
    """Write conversations about an annotated dataset; `llark train lora data=OUT` learns them."""
    import random

    from llark_py import catalog
    from llark_py.errors import ConfigError
    from llark_py.instruct.grammar import dialogue
    from llark_py.instruct.records import InstructionRecord, record_of, write_records
    from llark_py.instruct.simulate import OF_ONE_RECORDING

    part = catalog.load("datasets", dataset)
    if not out.resolve().parent.is_dir():
        raise ConfigError(f"there is no folder '{out.parent}' to write {out.name} into")

    def records() -> list[InstructionRecord]:
        rng = random.Random(seed)
        return [
            record_of(
                dialogue(track, rng, n_turns=turns, tools=OF_ONE_RECORDING),
                id=f"{track.id}-{i}",
                source="grammar",
                audio=track.audio_path,
            )
            for track in part.read_tracks(root)
            for i in range(per_track)
        ]

    typer.echo(f"{write_records(records(), out)} conversations in {out}")
