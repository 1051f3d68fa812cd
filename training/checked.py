"""A table whose faults are told by its name, row and column. Rows count as in a file whose header is row 1."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FIRST_ROW = 2
"""The row below the header."""


class TrainingTableError(ValueError):
    """A table that isn't what the official files hold; says which table, row and column break which rule."""


@dataclass(frozen=True)
class Checked:
    """A table of training data that is looked over before it is used.

    Parameters
    ----------
    frame : the table.
    name : what people call it: a file's name.
    """

    frame: pd.DataFrame
    name: str

    def need(self, columns: Sequence[str]) -> None:
        """Refuse a table that lacks a column.

        Raises
        ------
        TrainingTableError
        """
        missing = [column for column in columns if column not in self.frame.columns]
        if missing:
            raise TrainingTableError(
                f"{self.name} has no column {', '.join(missing)}; it has {', '.join(map(str, self.frame.columns))}"
            )

    def refuse(self, bad: NDArray[np.bool_], column: str, rule: str) -> None:
        """Refuse a table that has a bad row; the error names the first.

        Parameters
        ----------
        bad : shape (rows,), true where a row breaks the rule.
        column : where it does.
        rule : what is wrong with the value, as the end of a sentence.

        Raises
        ------
        TrainingTableError
        """
        if not bad.any():
            return
        row = int(np.argmax(bad))
        of = f" (object {self.frame['object_id'].iloc[row]})" if column != "object_id" else ""
        value = self.frame[column].iloc[row]
        raise TrainingTableError(f"{self.name}, row {row + FIRST_ROW}{of}, column {column}: {value} {rule}")

    def refuse_unless_finite(self, columns: Sequence[str]) -> None:
        """Refuse a table with a value that is no finite number.

        Raises
        ------
        TrainingTableError
        """
        for column in columns:
            values = self.frame[column].to_numpy(np.float64, na_value=np.nan)
            self.refuse(~np.isfinite(values), column, "isn't a finite number")
