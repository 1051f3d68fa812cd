"""A structure of lists, as catalogues for LSDB have it, back as the list of structures that annotations have."""

import pyarrow as pa
import pyarrow.compute as pc


def unnested(rows: pa.Table) -> pa.Table:
    """The table with each of its structures of lists turned inside out; other columns as they are."""
    for index, field in enumerate(rows.schema):
        kind = field.type
        if pa.types.is_struct(kind) and kind.num_fields and all(pa.types.is_list(part.type) for part in kind):
            chunks = [_inside_out(chunk) for chunk in rows.column(index).chunks]
            if chunks:
                rows = rows.set_column(index, field.name, pa.chunked_array(chunks))
    return rows


def _inside_out(lists: pa.StructArray) -> pa.ListArray:
    """The lists of a row are equally long, so that one's offsets are those of all."""
    names = [field.name for field in lists.type]
    parts = lists.flatten()
    values = pa.StructArray.from_arrays([part.flatten() for part in parts], names)
    ends = pc.cumulative_sum(pc.fill_null(parts[0].value_lengths(), 0)).cast(pa.int32())
    return pa.ListArray.from_arrays(pa.concat_arrays([pa.array([0], pa.int32()), ends]), values)
