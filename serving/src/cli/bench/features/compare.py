"""Counts the cells of two matrices that are not equal up to rounding, and prints them as JSON.

compare.py LAGOM.parquet OTHER.parquet

A point that the other program leaves out had no event before it: it is held against what nothing
gives, 0 for counts and sums and unknown for the rest.
"""

import json
import sys

import polars as pl

ours, theirs = (pl.scan_parquet(path) for path in sys.argv[1:3])
names = [name for name in theirs.collect_schema().names() if name not in ("customer_id", "at")]
unknown = ("mean", "most", "least", "since")
of_nothing = [
    pl.when(pl.col("found")).then(pl.col(name + "_their"))
    .otherwise(None if any(word in name for word in unknown) else 0.0)
    .alias(name + "_their")
    for name in names
]
both = ours.join(
    theirs.with_columns(found=True), on=["customer_id", "at"], how="left", suffix="_their"
).with_columns(pl.col("found").fill_null(False)).with_columns(of_nothing)


def differs(name):
    a, b = pl.col(name), pl.col(name + "_their")
    apart = (a - b).abs() > 1e-9 * (1 + a.abs())
    return (apart.fill_null(False) | (a.is_null() != b.is_null())).sum().alias(name)


found = both.select(pl.len().alias("rows"), pl.col("found").sum(), *map(differs, names)).collect()
row = found.row(0, named=True)
stray = theirs.select(pl.len()).collect().item() - row["found"]
differing = {name: row[name] for name in names if row[name]}
print(json.dumps({"rows": row["rows"], "stray": stray, "differing": differing}))
