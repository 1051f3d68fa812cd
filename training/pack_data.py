"""Packs the public data that training needs into the small Parquet files of `training/data`.

Run once by whoever refreshes those files: ``python -m training.pack_data SOURCE``, with the published files under
SOURCE as `training/data/README.md` names them. What each packed column means, and whose data it is, stands there too.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

PACKED = Path(__file__).parent / "data"
PASSBANDS = {"u": 0, "g": 1, "r": 2, "i": 3, "z": 4, "Y": 5, "y": 5}
CESIUM_STATISTICS = ("maximum", "minimum", "std", "median_absolute_deviation")


def plasticc_metadata(folder: Path) -> pd.DataFrame:
    """The public metadata of the 7,848 training objects joined with the unblinded columns."""
    public = pd.read_csv(folder / "training_set_metadata.csv")
    truth = pd.read_csv(folder / "plasticc_train_metadata_unblinded.csv")
    kept = ["object_id", *(name for name in truth.columns if name.startswith(("true_", "tflux_", "libid_")))]
    return public.merge(truth[kept], on="object_id", validate="one_to_one")


def plasticc_light_curves(folder: Path) -> pd.DataFrame:
    """The 100 real light curves; `mjd` counts from the first observation where `mjd_is_relative`."""
    absolute = pd.read_csv(folder / "training_set_10_objects.csv").assign(mjd_is_relative=False)
    relative = pd.read_csv(folder / "training_set_90_objects_relative_mjd.csv").assign(mjd_is_relative=True)
    joined = pd.concat([absolute, relative.rename(columns={"mjd_minus_first": "mjd"})], ignore_index=True)
    return joined.astype({"passband": "uint8", "flux": "float32", "flux_err": "float32", "detected": "bool"})


def plasticc_statistics(folder: Path) -> pd.DataFrame:
    """Per-band statistics of the real light curves of all 7,848 objects, as cesium computed them."""
    table = pd.read_parquet(folder / "cesium_features_7848.parquet")
    kept = [name for name in table.columns if name.split("__")[0] in CESIUM_STATISTICS]
    return table[["object_id", *kept]].astype(dict.fromkeys(kept, "float32"))


def elasticc2_photometry(folder: Path) -> pd.DataFrame:
    """The visits of the 346 ELAsTiCC2 objects: photometry and observing conditions."""
    table = pd.read_parquet(folder / "photometry.parquet").drop(columns=["rdnoise", "gain"])
    table["passband"] = table.pop("band").map(PASSBANDS).astype("uint8")
    floats = [name for name in table.columns if table[name].dtype.kind == "f" and name != "mjd"]
    return table.astype({"snid": "int32", "photflag": "int16", **dict.fromkeys(floats, "float32")})


def elasticc2_objects(folder: Path) -> pd.DataFrame:
    """Positions, hosts and truth of the 346 ELAsTiCC2 objects; NaN for the files' -9 and -9999."""
    table = pd.read_parquet(folder / "objects.parquet")
    numbers = [name for name in table.columns if table[name].dtype.kind == "f" and name not in {"ra", "dec"}]
    table[numbers] = table[numbers].mask(table[numbers].isin([-9.0, -9999.0]), np.nan)
    return table


def main(source: Annotated[Path, typer.Argument(help="Folder that holds plasticc/ and elasticc2/.")]) -> None:
    """Write the Parquet files of training/data."""
    tables = {
        "plasticc_metadata": plasticc_metadata(source / "plasticc"),
        "plasticc_light_curves": plasticc_light_curves(source / "plasticc"),
        "plasticc_statistics": plasticc_statistics(source / "plasticc"),
        "elasticc2_photometry": elasticc2_photometry(source / "elasticc2"),
        "elasticc2_objects": elasticc2_objects(source / "elasticc2"),
    }
    for name, table in tables.items():
        table.to_parquet(PACKED / f"{name}.parquet", index=False, compression="zstd", compression_level=19)


if __name__ == "__main__":
    typer.run(main)
