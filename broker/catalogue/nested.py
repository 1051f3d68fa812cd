"""A list of structures as a structure of lists, which nested-pandas and LSDB read as a table in every row."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def nested(rows: pa.Table) -> pa.Table:
    """The table with each of its lists of structures turned inside out; other columns as they are.

    Raises
    ------
    ValueError
        If such a list is null; annotations have empty ones.
    """
    for index, field in enumerate(rows.schema):
        if pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type):
            column = _inside_out(rows.column(index).combine_chunks(), field.name)
            rows = rows.set_column(index, pa.field(field.name, column.type, metadata=field.metadata), column)
    return rows


def _inside_out(lists: pa.ListArray | pa.ChunkedArray, name: str) -> pa.StructArray:
    if isinstance(lists, pa.ChunkedArray):  # what combining no chunks gives
        lists = pa.array([], lists.type)
    if lists.null_count:
        raise ValueError(f"{lists.null_count} of {len(lists)} values of column {name} are null")
    lengths = np.asarray(pc.list_value_length(lists), dtype=np.int64)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    values = lists.flatten()
    names = [field.name for field in lists.type.value_type]
    return pa.StructArray.from_arrays([pa.ListArray.from_arrays(offsets, values.field(each)) for each in names], names)
