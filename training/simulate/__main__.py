"""``python -m training.simulate --out DIR --objects N --seed S``: simulated objects in the official PLAsTiCC files."""

from pathlib import Path
from typing import Annotated

import typer

from training.simulate.run import simulate_tables
from training.simulate.tables import METADATA_COLUMNS


def main(
    out: Annotated[
        Path, typer.Option(help="Folder for training_set.csv, training_set_metadata.csv, simulation_truth.csv.")
    ],
    objects: Annotated[int, typer.Option(min=1, help="Number of objects.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Same seed, same files.")] = 1,
    balance: Annotated[
        float, typer.Option(min=0, max=1, help="0: PLAsTiCC's class shares; 1: all classes equal.")
    ] = 0.0,
) -> None:
    """Simulate PLAsTiCC-like light curves of all 14 classes."""
    points, metadata = simulate_tables(objects, seed, balance=balance, progress=True)
    out.mkdir(parents=True, exist_ok=True)
    points.to_csv(out / "training_set.csv", index=False, float_format="%.6f")
    metadata[list(METADATA_COLUMNS)].to_csv(out / "training_set_metadata.csv", index=False, float_format="%.6f")
    truth = metadata.drop(columns=[name for name in METADATA_COLUMNS if name not in {"object_id", "target"}])
    truth.to_csv(out / "simulation_truth.csv", index=False, float_format="%.4f")
    typer.echo(f"{len(metadata)} objects, {len(points)} points in {out}")


if __name__ == "__main__":
    typer.run(main)
