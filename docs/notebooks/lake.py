"""A tour of the lake for people who query: `make notebook` opens it, `python` runs it.

Everything in it works on the laptop and on AWS: only `HAS_STAGE` and boto3's variables differ.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Ask the lake")


@app.cell
def _():
    from pathlib import Path

    import awswrangler as wr
    import marimo as mo
    import plotly.express as px
    import polars as pl

    from pipeline.runtime import aws
    from pipeline.runtime.lake_sql import open_lake
    from pipeline.runtime.query import Query

    QUERIES = Path(__file__).parents[1] / "queries"
    lake = Query()

    def ask(name):
        """The answer to one of `docs/queries/`: DuckDB on the laptop, Athena on AWS."""
        return lake.sql((QUERIES / f"{name}.sql").read_text())

    return ask, aws, lake, mo, open_lake, pl, px, wr


@app.cell
def _(lake, mo):
    mo.md(f"""
    # Ask the lake
    Stage `{lake.names.stage}`: the files lie in `s3://{lake.names.lake_bucket}`, the tables in the
    Glue database `{lake.database}`. Amounts are whole minor units (pence) beside their currency,
    times are UTC, load tests are left out with `NOT synthetic`. What each column means is in
    `docs/contracts/data-dictionary.md`.

    ## One number, four readers
    Net revenue of each month and country, read by awswrangler by path and by table name, by a
    lazy scan of polars, and by SQL in DuckDB over Arrow. They agree to the penny.
    """)
    return


@app.cell
def _(lake, pl, wr):
    def net_of(frame):
        """DataFrame[month, country, net_minor] of a pandas frame of order lines."""
        real = frame[~frame["synthetic"]]
        keys = [real["placed_at"].dt.strftime("%Y-%m").rename("month"), "country"]
        grouped = real.groupby(keys)["line_total_minor"].sum().reset_index(name="net_minor")
        return pl.from_pandas(grouped).sort("month", "country")

    COLUMNS = ["placed_at", "country", "line_total_minor", "synthetic"]
    by_path = net_of(
        wr.s3.read_parquet(lake.location("order_lines"), dataset=True, columns=COLUMNS)
    )
    by_table = net_of(
        wr.s3.read_parquet_table(database=lake.database, table="order_lines", columns=COLUMNS)
    )
    return by_path, by_table


@app.cell
def _(aws, lake, pl):
    lines = pl.scan_parquet(
        lake.location("order_lines") + "**/*.parquet",
        storage_options=aws.s3_storage_options(),
        hive_partitioning=True,
        missing_columns="insert",  # files of two releases may differ in their columns
        extra_columns="ignore",
    )
    by_scan = (
        lines.filter(~pl.col("synthetic"))
        .group_by(pl.col("placed_at").dt.strftime("%Y-%m").alias("month"), "country")
        .agg(pl.col("line_total_minor").sum().alias("net_minor"))
        .sort("month", "country")
        .collect()
    )
    return (by_scan,)


@app.cell
def _(lake, open_lake):
    with open_lake(lake.lake, "order_lines") as connection:
        by_duckdb = connection.sql(
            """
            SELECT strftime(placed_at, '%Y-%m') AS month, country,
                   sum(line_total_minor)::BIGINT AS net_minor
            FROM order_lines
            WHERE NOT synthetic
            GROUP BY ALL
            ORDER BY month, country
            """
        ).pl()
    return (by_duckdb,)


@app.cell
def _(by_duckdb, by_path, by_scan, by_table, mo):
    # What arrived since the last compaction is in DuckDB's answer alone.
    readers_agree = by_path.equals(by_table) and by_path.equals(by_scan)
    verdict = "agree" if readers_agree else "do not agree"
    mo.vstack([mo.md(f"awswrangler by path, by name and polars {verdict}; DuckDB:"), by_duckdb])
    return (readers_agree,)


@app.cell
def _(ask, mo, px):
    hours = ask("sales_by_hour")
    mo.vstack(
        [
            mo.md("## Sales by hour\nWhen do people buy?"),
            px.bar(hours, x="hour_utc", y="orders", color="currency", height=300),
            hours,
        ]
    )
    return (hours,)


@app.cell
def _(ask, mo):
    cohorts = ask("cohort_retention")
    retention = cohorts.pivot("months_later", index="cohort", values="percent").sort("cohort")
    mo.vstack(
        [
            mo.md(
                "## Cohort retention\nOf the customers whose first order was in a month, how many "
                "per cent bought again *n* months later?"
            ),
            retention,
        ]
    )
    return cohorts, retention


@app.cell
def _(ask, mo, px):
    funnel = ask("funnel")
    mo.vstack(
        [
            mo.md(
                "## Funnel\nHow far do visits get? A visit counts for the furthest step that it "
                "took, and for all before."
            ),
            px.bar(funnel, x="visits", y="name", orientation="h", height=300),
            funnel,
        ]
    )
    return (funnel,)


@app.cell
def _(ask, mo):
    pairs = ask("basket")
    mo.vstack([mo.md("## Basket analysis\nWhat is bought together?"), pairs])
    return (pairs,)


@app.cell
def _(ask, mo, px):
    segments = ask("rfm")
    mo.vstack(
        [
            mo.md("## Recency, frequency, money\nWho are the good customers?"),
            px.bar(segments, x="segment", y="spent_minor", color="currency", height=300),
            segments,
        ]
    )
    return (segments,)


if __name__ == "__main__":
    app.run()
