"""The documentation page of the features, docs/features.md."""

from features.families import discover
from features.family import FeatureFamily

_HEAD = """# Features

What `features.extract` computes from a light curve, family by family; one module of `features/families` each.
`boreal features list --markdown` wrote this page.

Fluxes are difference fluxes in nJy (AB zero point 31.4): a variable star that faded is negative. Nothing is corrected
for extinction or K-corrected. Times are in the observer's frame unless a name begins with `rest_`. A *detection* is a
point that was detected on the difference image. The *episode* is what lies between 1 d before the first and 1 d after
the last detection, or everything where nothing was detected; *peaks* are the episode's points of highest |S/N|.
The Bazin fit has one shape for all bands and no constant, and a wide prior on its shape (`features/_bazin.py`).
What a light curve does not tell is NaN, never a made-up number. A row depends on its own object only, bit for bit.
"""


def render() -> str:
    """The page in Markdown."""
    families = discover()
    total = sum(len(family.features) for family in families)
    sections = [_section(family) for family in families]
    return "\n".join([_HEAD, f"{total} features in {len(families)} families.", *sections])


def _section(family: FeatureFamily) -> str:
    rows = [
        f"| `{f.name}` | {f.meaning.replace('|', chr(92) + '|')} | {f.unit} | {f.source} |" for f in family.features
    ]
    return "\n".join([f"\n## {family.name}\n", "| name | meaning | unit | source |", "|---|---|---|---|", *rows])
