"""All conditions and regions of a set of filters, made ready once and run on any number of batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from broker.filters._translate import Translator, column_expression
from broker.filters.regions import Region, in_any
from broker.filters.term import Term

Regions = tuple[Region, ...]


@dataclass(frozen=True)
class Program:
    """What the engine is to do with a batch.

    Parameters
    ----------
    columns : names of the annotation columns that the conditions use.
    prepared : the same columns as conditions see them.
    skies : the sets of regions, each once.
    steps : expressions by level.
    answers : an expression per filter.
    """

    columns: tuple[str, ...]
    prepared: tuple[pl.Expr, ...]
    skies: tuple[Regions, ...]
    steps: tuple[tuple[pl.Expr, ...], ...]
    answers: tuple[pl.Expr, ...]

    @classmethod
    def compile(cls, filters: Sequence[tuple[str, Term, Regions]]) -> "Program":
        """Make conditions and regions ready.

        Parameters
        ----------
        filters : name, checked condition and regions of each.
        """
        translator = Translator()
        skies = tuple(dict.fromkeys(regions for _, _, regions in filters if regions))
        answers = []
        for name, term, regions in filters:
            passes = translator.translate(term).fill_null(value=False)
            if regions:
                passes = passes & pl.col(f"sky:{skies.index(regions)}")
            answers.append(passes.alias(f"answer:{name}"))
        used = dict.fromkeys((str(t.value), t.kind) for _, term, _ in filters for t in term.walk() if t.op == "column")
        prepared = tuple(column_expression(name, kind) for name, kind in used)
        columns = tuple(dict.fromkeys(name for name, _ in used))
        return cls(columns, prepared, skies, tuple(map(tuple, translator.steps)), tuple(answers))

    def run(self, table: pa.Table) -> list[pa.Array]:
        """A boolean array without nulls per filter, shape (n_alerts,)."""
        frame = pl.DataFrame(pl.from_arrow(table.select(list(self.columns)))) if self.columns else pl.DataFrame()
        lazy = frame.lazy().select(
            *self.prepared, *(self._sky(k, table) for k in range(len(self.skies))), *_rows(table)
        )
        for level in self.steps:
            lazy = lazy.with_columns(*level)
        answers = lazy.with_columns(*self.answers).select(a.meta.output_name() for a in self.answers)
        # Equal terms share a step already and nothing is computed in vain: looking for more takes longer than it saves.
        made = answers.collect(optimizations=pl.QueryOptFlags.none()).to_arrow()
        return [column.combine_chunks() for column in made.columns]

    def _sky(self, k: int, table: pa.Table) -> pl.Series:
        ra, dec = (np.asarray(pc.fill_null(table[name].cast(pa.float64()), np.nan)) for name in ("ra", "dec"))
        return pl.Series(f"sky:{k}", in_any(self.skies[k], ra, dec))


def _rows(table: pa.Table) -> tuple[pl.Series]:
    """A column as long as the batch, to which constant conditions are stretched."""
    return (pl.Series("rows", np.zeros(table.num_rows, dtype=np.bool_)),)
