"""The annotation table by place on the sky, in the forms that astronomers use: HATS catalogues and plain Parquet."""
