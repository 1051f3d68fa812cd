"""The packed public data that ship with the training code (`training/data/README.md` says whose they are)."""

from functools import cache
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent / "data"


@cache
def shipped(name: str) -> pd.DataFrame:
    """A table of `training/data`, read once; not to be changed.

    Raises
    ------
    FileNotFoundError
        If no such table ships.
    """
    path = FOLDER / f"{name}.parquet"
    if not path.exists():
        have = sorted(file.stem for file in FOLDER.glob("*.parquet"))
        raise FileNotFoundError(f"no table {name!r} in {FOLDER}; there are {', '.join(have)}")
    return pd.read_parquet(path)
