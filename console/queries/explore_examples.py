"""Queries to begin with: each answers a question people ask, and shows how the tables join."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """`chart` holds the chart builder's choices that show its finding."""

    title: str
    sql: str
    chart: dict[str, str]


_REVENUE = Example(
    "Revenue by country and month",
    """\
SELECT date_trunc('month', placed_at)::DATE AS month,
       country,
       count(DISTINCT order_id) FILTER (kind = 'sale') AS orders,
       round(sum(line_total_minor) / 100, 2) AS net_gbp
FROM order_lines
WHERE NOT synthetic AND currency = 'GBP'
GROUP BY ALL
ORDER BY month, net_gbp DESC""",
    {"kind": "Bar", "x": "month", "y": "net_gbp", "colour": "country", "aggregation": "Sum"},
)
_PAIRS = Example(
    "Products bought together",
    """\
WITH popular AS (            -- the 60 products in most orders
  SELECT product_id
  FROM order_lines
  WHERE kind = 'sale' AND NOT synthetic
  GROUP BY product_id
  ORDER BY count(DISTINCT order_id) DESC
  LIMIT 60
), baskets AS (
  SELECT DISTINCT order_id, product_id, first(title) OVER (PARTITION BY product_id) AS title
  FROM order_lines SEMI JOIN popular USING (product_id)
  WHERE kind = 'sale' AND NOT synthetic
)
SELECT a.title || ' + ' || b.title AS pair, count(*) AS orders
FROM baskets a
JOIN baskets b ON a.order_id = b.order_id AND a.product_id < b.product_id
GROUP BY pair
ORDER BY orders DESC
LIMIT 20""",
    {"kind": "Bar", "x": "pair", "y": "orders", "colour": "", "aggregation": "Sum"},
)
_COHORTS = Example(
    "Cohort retention",
    """\
WITH active AS (
  SELECT DISTINCT customer_id, date_trunc('month', placed_at)::DATE AS month
  FROM order_lines
  WHERE kind = 'sale' AND NOT synthetic AND customer_id IS NOT NULL
), cohorts AS (
  SELECT *, min(month) OVER (PARTITION BY customer_id) AS cohort FROM active
)
SELECT cohort,
       date_diff('month', cohort, month) AS months_later,
       count(*) AS customers,
       round(100 * count(*) / first(count(*)) OVER (
         PARTITION BY cohort ORDER BY date_diff('month', cohort, month)), 1) AS percent_of_cohort
FROM cohorts
GROUP BY cohort, months_later
ORDER BY cohort, months_later""",
    {
        "kind": "Line",
        "x": "months_later",
        "y": "percent_of_cohort",
        "colour": "cohort",
        "aggregation": "Mean",
    },
)
_RFM = Example(
    "Recency, frequency, money",
    """\
WITH customers AS (
  SELECT customer_id,
         date_diff('day', max(placed_at), (SELECT max(placed_at) FROM order_lines)) AS days_ago,
         count(DISTINCT order_id) AS orders,
         sum(line_total_minor) / 100 AS spent
  FROM order_lines
  WHERE kind = 'sale' AND NOT synthetic AND customer_id IS NOT NULL AND currency = 'GBP'
  GROUP BY customer_id
), scored AS (
  SELECT *,
         6 - ntile(5) OVER (ORDER BY days_ago) AS recency,
         ntile(5) OVER (ORDER BY orders) AS frequency,
         ntile(5) OVER (ORDER BY spent) AS money
  FROM customers
)
SELECT CASE WHEN recency >= 4 AND frequency >= 4 THEN 'best'
            WHEN recency >= 4 THEN 'recent'
            WHEN frequency >= 4 THEN 'slipping away'
            WHEN recency = 1 THEN 'lost'
            ELSE 'others' END AS segment,
       count(*) AS customers,
       round(avg(days_ago)) AS days_since_last_order,
       round(avg(orders), 1) AS orders_each,
       round(sum(spent), 2) AS spent_gbp
FROM scored
GROUP BY segment
ORDER BY spent_gbp DESC""",
    {"kind": "Bar", "x": "segment", "y": "spent_gbp", "colour": "", "aggregation": "Sum"},
)
_HOURS = Example(
    "Hours of the day",
    """\
SELECT hour(placed_at) AS hour_utc,
       count(DISTINCT order_id) AS orders,
       round(sum(line_total_minor) / 100, 2) AS gross_gbp
FROM order_lines
WHERE kind = 'sale' AND NOT synthetic AND currency = 'GBP'
GROUP BY hour_utc
ORDER BY hour_utc""",
    {"kind": "Bar", "x": "hour_utc", "y": "orders", "colour": "", "aggregation": "Sum"},
)
_REFUNDS = Example(
    "Largest refunds",
    """\
SELECT order_id, placed_at, country, title, quantity,
       round(-line_total_minor / 100, 2) AS refunded_gbp
FROM order_lines
WHERE kind = 'refund' AND NOT synthetic AND currency = 'GBP'
ORDER BY refunded_gbp DESC
LIMIT 50""",
    {"kind": "Bar", "x": "title", "y": "refunded_gbp", "colour": "", "aggregation": "Sum"},
)
_REFUSED = Example(
    "Why events were refused",
    """\
SELECT reason, source, count(*) AS events, max(arrived_at) AS last_arrived
FROM quarantine
GROUP BY ALL
ORDER BY events DESC""",
    {"kind": "Bar", "x": "reason", "y": "events", "colour": "source", "aggregation": "Sum"},
)
_SEARCHES = Example(
    "Searches that find nothing",
    """\
SELECT lower(query) AS query, count(*) AS searches, count(DISTINCT session_id) AS visits
FROM clickstream
WHERE event_type = 'shopper.searched.v1' AND results_count = 0 AND NOT synthetic
GROUP BY ALL
ORDER BY searches DESC
LIMIT 50""",
    {"kind": "Bar", "x": "query", "y": "searches", "colour": "", "aggregation": "Sum"},
)
EXAMPLES = (_REVENUE, _PAIRS, _COHORTS, _RFM, _HOURS, _REFUNDS, _REFUSED, _SEARCHES)
