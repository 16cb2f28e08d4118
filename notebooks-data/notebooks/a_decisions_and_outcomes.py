# %% [markdown]
# # Reading decisions and outcomes
#
# lagom logs every decision with every probability. `lagom export` writes the log of a server as
# Parquet, `lagom simulate` that of a seeded world; both are the same five tables. Here they are read
# with Polars and with DuckDB, and the two must agree.
#
# Run from `notebooks-data/notebooks` with `lagom` on the path, or name the executable in `LAGOM`.

# %%
import os
import subprocess
import tempfile

import duckdb
import polars as pl

LAGOM = os.environ.get("LAGOM", "lagom")
os.chdir(tempfile.mkdtemp())


def lagom(*args: str) -> None:
    print(subprocess.run([LAGOM, *args], check=True, capture_output=True, text=True).stdout, end="")


lagom("simulate", "--customers", "400", "--days", "180", "--seed", "1", "--out", "data")

# %% [markdown]
# ## The tables

# %%
names = ["customers", "invoices", "events", "decisions", "outcomes"]
tables = {name: pl.read_parquet(f"data/{name}.parquet") for name in names}
for name, table in tables.items():
    print(f"{name:<10} {table.height:>6} rows  {table.width:>3} columns")

# %% [markdown]
# ## A decision
#
# `eligible` and `probabilities` are lists of one length: every action that could have been chosen,
# and how probable it was. `blocked` names the others, `blocked_rules` what forbade them.

# %%
decisions = tables["decisions"]
sums = decisions.select(pl.col("probabilities").list.sum().alias("sum"))["sum"]
assert ((sums - 1.0).abs() < 1e-9).all(), "the probabilities of a decision must add up to one"
own = decisions.with_columns(
    place=pl.struct("eligible", "action_id").map_elements(
        lambda one: one["eligible"].index(one["action_id"]), return_dtype=pl.Int64
    )
).select((pl.col("probabilities").list.get(pl.col("place")) - pl.col("probability")).abs())
assert (own.to_series() < 1e-12).all(), "the logged probability is that of the chosen action"
decisions.select("decided_at", "action_id", "probability", "policy", "reason").head(3)

# %% [markdown]
# ## What was decided, how often, and what came of it
#
# An outcome exists once its window has closed. Averages by action tell what followed the action, not
# what it caused: harder steps meet harder cases. For causes, weigh by the probabilities (notebook c).

# %%
joined = decisions.join(tables["outcomes"], on="decision_id")
with_polars = (
    joined.filter(~pl.col("censored"))
    .group_by("kind")
    .agg(
        decisions=pl.len(),
        paid=pl.col("paid").cast(pl.Float64).mean(),
        collected_minor=pl.col("collected_minor").sum(),
        complaints=pl.col("complaint").cast(pl.Int64).sum(),
    )
    .sort("kind")
)
with_polars

# %%
with_duckdb = duckdb.sql(
    """
    select d.kind, count(*) as decisions, avg(cast(o.paid as double)) as paid,
           cast(sum(o.collected_minor) as bigint) as collected_minor,
           cast(sum(cast(o.complaint as bigint)) as bigint) as complaints
    from 'data/decisions.parquet' d join 'data/outcomes.parquet' o using (decision_id)
    where not o.censored
    group by d.kind order by d.kind
    """
).pl()
for name in with_polars.columns:
    ours, theirs = with_polars[name].to_list(), with_duckdb[name].to_list()
    same = all(
        a == b or (isinstance(a, float) and abs(a - b) < 1e-12) for a, b in zip(ours, theirs)
    )
    assert same, f"Polars and DuckDB disagree on {name}"
print("Polars and DuckDB agree on", with_polars.height, "kinds of action")

# %% [markdown]
# ## Which rules forbade most

# %%
duckdb.sql(
    """
    select rule, count(*) as refusals
    from (select unnest(blocked_rules) as rule from 'data/decisions.parquet')
    group by rule order by refusals desc, rule limit 8
    """
).pl()

# %% [markdown]
# ## How much each decision explored
#
# The effective number of actions, $\exp(-\sum p \log p)$: 1 is no choice at all.

# %%
entropy = decisions.select(
    policy="policy",
    actions=pl.col("eligible").list.len(),
    effective=pl.col("probabilities")
    .list.eval(-pl.element() * pl.when(pl.element() > 0).then(pl.element().log()).otherwise(0.0))
    .list.sum()
    .exp(),
)
entropy.group_by("policy").agg(pl.all().mean().round(2)).sort("policy")
