"""The features of twenty.toml in DuckDB: one join, one grouping.

duckdb_peer.py EVENTS.parquet POINTS.csv OUT.parquet
"""

import sys

import duckdb

events_file, points_file, out = sys.argv[1:4]
DAY = 86_400_000_000


def over(value, kind, days=None, more=""):
    window = "" if days is None else f" AND age <= {days * DAY}"
    return f"{value} FILTER (type = '{kind}'{window}{more})"


def count(kind, days=None, more=""):
    return over("count(*)", kind, days, more) + "::DOUBLE"


features = {
    "payments_30d": count("payment_succeeded", 30),
    "payments_365d": count("payment_succeeded", 365),
    "paid_sum_180d": f"coalesce({over('sum(amount_minor)', 'payment_succeeded', 180)}, 0)::DOUBLE",
    "paid_mean": over("avg(amount_minor)", "payment_succeeded"),
    "paid_most": over("max(amount_minor)", "payment_succeeded") + "::DOUBLE",
    "paid_least_365d": over("min(amount_minor)", "payment_succeeded", 365) + "::DOUBLE",
    "days_since_payment": over("min(age)", "payment_succeeded") + f" / {DAY}::DOUBLE",
    "days_since_first": over("max(age)", "payment_succeeded") + f" / {DAY}::DOUBLE",
    "failed_90d": count("payment_failed", 90),
    "failed": count("payment_failed"),
    "days_since_failed": over("min(age)", "payment_failed") + f" / {DAY}::DOUBLE",
    "opens_30d": count("invoice_opened", 30),
    "opens_180d": count("invoice_opened", 180),
    "opened_60d": f"({over('count(*)', 'invoice_opened', 60)} > 0)::INT::DOUBLE",
    "viewed_90d": f"coalesce({over('sum(dwell_ms)', 'invoice_viewed', 90)}, 0)::DOUBLE / 1000",
    "viewed_mean": over("avg(dwell_ms)", "invoice_viewed") + " / 1000",
    "clicks_90d": count("link_clicked", 90),
    "contacts_30d": count("contact_sent", 30),
    "sms_180d": count("contact_sent", 180, " AND channel = 'sms'"),
    "days_since_contact": over("min(age)", "contact_sent") + f" / {DAY}::DOUBLE",
}
columns = ",\n".join(f"{sql} AS {name}" for name, sql in features.items())
duckdb.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
duckdb.execute(f"""
COPY (
  WITH points AS (
    SELECT customer_id, "at"::TIMESTAMPTZ AS "at"
    FROM read_csv('{points_file}', all_varchar = true)
  ), seen AS (
    SELECT customer_id, "at", type, channel, amount_minor, dwell_ms,
           epoch_us("at") - epoch_us(occurred_at) AS age
    FROM points JOIN read_parquet('{events_file}') USING (customer_id)
    WHERE recorded_at < "at" AND occurred_at < "at"
  )
  SELECT customer_id, "at", {columns} FROM seen GROUP BY customer_id, "at"
) TO '{out}' (FORMAT parquet)
""")
