"""The features of twenty.toml in Polars: one lazy plan, streamed.

polars_peer.py EVENTS.parquet POINTS.csv OUT.parquet
"""

import sys

import polars as pl

events_file, points_file, out = sys.argv[1:4]
DAY = 86_400_000_000

points = pl.scan_csv(points_file).with_columns(
    pl.col("at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")
)
events = pl.scan_parquet(events_file).select(
    "customer_id", "occurred_at", "recorded_at", "type", "channel", "amount_minor", "dwell_ms"
)
age = pl.col("at").to_physical() - pl.col("occurred_at").to_physical()
seen = (
    points.join(events, on="customer_id")
    .filter(pl.col("recorded_at") < pl.col("at"), pl.col("occurred_at") < pl.col("at"))
    .select("customer_id", "at", "type", "channel", "amount_minor", "dwell_ms", age=age)
)


def rows(kind, days=None):
    chosen = pl.col("type") == kind
    return chosen if days is None else chosen & (pl.col("age") <= days * DAY)


def count(kind, days=None):
    return rows(kind, days).sum().cast(pl.Float64)


def amount(kind, days=None):
    return pl.col("amount_minor").filter(rows(kind, days))


def dwell(kind, days=None):
    return pl.col("dwell_ms").filter(rows(kind, days)).cast(pl.Int64)


def ages(kind):
    return pl.col("age").filter(rows(kind))


made = seen.group_by("customer_id", "at").agg(
    payments_30d=count("payment_succeeded", 30),
    payments_365d=count("payment_succeeded", 365),
    paid_sum_180d=amount("payment_succeeded", 180).sum().cast(pl.Float64),
    paid_mean=amount("payment_succeeded").mean(),
    paid_most=amount("payment_succeeded").max().cast(pl.Float64),
    paid_least_365d=amount("payment_succeeded", 365).min().cast(pl.Float64),
    days_since_payment=ages("payment_succeeded").min() / DAY,
    days_since_first=ages("payment_succeeded").max() / DAY,
    failed_90d=count("payment_failed", 90),
    failed=count("payment_failed"),
    days_since_failed=ages("payment_failed").min() / DAY,
    opens_30d=count("invoice_opened", 30),
    opens_180d=count("invoice_opened", 180),
    opened_60d=(count("invoice_opened", 60) > 0).cast(pl.Float64),
    viewed_90d=dwell("invoice_viewed", 90).sum() / 1000,
    viewed_mean=dwell("invoice_viewed").mean() / 1000,
    clicks_90d=count("link_clicked", 90),
    contacts_30d=count("contact_sent", 30),
    sms_180d=(rows("contact_sent", 180) & (pl.col("channel") == "sms")).sum().cast(pl.Float64),
    days_since_contact=ages("contact_sent").min() / DAY,
)
made.sink_parquet(out)
