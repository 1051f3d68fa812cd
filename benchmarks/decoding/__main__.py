"""The command: time both ways to decode, side by side, and check that they give the same."""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.decoding.compare import REGISTRY, Comparison, Pairs, fields, lsst_packets, whole
from benchmarks.timing import in_turns
from schemas.decode import decode
from schemas.packets import packets

ROOT = Path(__file__).parents[2]


def main(
    directory: Annotated[
        Path, typer.Option("--from", exists=True, file_okay=False, help="Where LSST packets are, *.avro.")
    ] = (ROOT / "tests" / "data" / "packets" / "lsst"),
    rounds: Annotated[int, typer.Option(min=1, help="How often to time each; the fastest counts.")] = 5,
) -> None:
    """Time decoding by machine and by fastavro, one thread; exit with 1 if they don't give the same."""
    groups = lsst_packets(directory)
    if not groups:
        raise typer.BadParameter(f"no LSST packets below {directory}")
    (first,) = in_turns(1, lambda: decode(packets([*next(iter(groups.values()))[:1]]), REGISTRY))
    typer.echo(f"first packet of this process: {first.seconds:.2f} s")
    same = [_compare(schema_id, pairs, rounds) for schema_id, pairs in groups.items()]
    typer.echo(f"differences {same.count(False)}")
    raise typer.Exit(0 if all(same) else 1)


def _compare(schema_id: int, pairs: Pairs, rounds: int) -> bool:
    """Print the figures of packets of one schema; whether both ways agree."""
    size = sum(len(payload) for _, payload in pairs) / len(pairs)
    typer.echo(f"schema {schema_id}: {len(pairs)} packets at once, {size / 1000:.0f} kB each")
    found = [fields(schema_id, pairs, rounds), whole(pairs, rounds)]
    for one in found:
        _tell(one)
    return all(one.same for one in found)


def _tell(found: Comparison) -> None:
    fast, slow = found.fast * 1e6, found.slow * 1e6
    typer.echo(f"  {found.what} {fast:.1f} us a packet, fastavro {slow:.1f} us, ratio {slow / fast:.1f}")


if __name__ == "__main__":
    typer.run(main)
