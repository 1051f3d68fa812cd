"""All conditions and regions of a set of filters, made ready once and run on any number of batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from broker.filters import light_curve
from broker.filters._curves import Curves
from broker.filters._translate import Translator, column_expression, curve_name
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
    curves : the calls of functions of the light curve, each once.
    steps : expressions by level.
    answers : an expression per filter.
    """

    columns: tuple[str, ...]
    prepared: tuple[pl.Expr, ...]
    skies: tuple[Regions, ...]
    curves: tuple[Term, ...]
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
        return cls._of([term for _, term, _ in filters], skies, translator, answers)

    @classmethod
    def of_terms(cls, terms: Sequence[Term]) -> "Program":
        """Make terms ready whose values are asked for, nulls and all: by the expressions that filters are made of."""
        translator = Translator()
        answers = [translator.translate(term).alias(f"answer:{k}") for k, term in enumerate(terms)]
        return cls._of(terms, (), translator, answers)

    @classmethod
    def _of(
        cls, terms: Sequence[Term], skies: tuple[Regions, ...], translator: Translator, answers: Sequence[pl.Expr]
    ) -> "Program":
        used = dict.fromkeys((str(t.value), t.kind) for term in terms for t in term.walk() if t.op == "column")
        prepared = tuple(column_expression(name, kind) for name, kind in used)
        columns = tuple(dict.fromkeys(name for name, _ in used))
        curves = tuple(dict.fromkeys(call for term in terms for call in light_curve.calls(term)))
        return cls(columns, prepared, skies, curves, tuple(map(tuple, translator.steps)), tuple(answers))

    def run(self, table: pa.Table) -> list[pa.Array]:
        """What each filter answers, a boolean array without nulls; or each term's values. Shape (n_alerts,)."""
        frame = pl.DataFrame(pl.from_arrow(table.select(list(self.columns)))) if self.columns else pl.DataFrame()
        skies = (self._sky(k, table) for k in range(len(self.skies)))
        lazy = frame.lazy().select(*self.prepared, *skies, *self._of_light_curves(table), *_rows(table))
        for level in self.steps:
            lazy = lazy.with_columns(*level)
        answers = lazy.with_columns(*self.answers).select(a.meta.output_name() for a in self.answers)
        # Equal terms share a step already and nothing is computed in vain: looking for more takes longer than it saves.
        made = answers.collect(optimizations=pl.QueryOptFlags.none()).to_arrow()
        return [column.combine_chunks() for column in made.columns]

    def _sky(self, k: int, table: pa.Table) -> pl.Series:
        ra, dec = (np.asarray(pc.fill_null(table[name].cast(pa.float64()), np.nan)) for name in ("ra", "dec"))
        return pl.Series(f"sky:{k}", in_any(self.skies[k], ra, dec))

    def _of_light_curves(self, table: pa.Table) -> list[pl.Series]:
        if not self.curves:
            return []
        curves = Curves(table)
        return [pl.Series(curve_name(call), curves.value(call)) for call in self.curves]


def _rows(table: pa.Table) -> tuple[pl.Series]:
    """A column as long as the batch, to which constant conditions are stretched."""
    return (pl.Series("rows", np.zeros(table.num_rows, dtype=np.bool_)),)
