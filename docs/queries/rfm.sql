-- Who are the good customers? Scores from 1 to 5 by recency, frequency and money, in segments.
WITH latest AS (
  SELECT max(placed_at) AS moment FROM order_lines WHERE kind = 'sale' AND NOT synthetic
), customers AS (
  SELECT customer_id,
         currency,
         date_diff('day', max(placed_at), max(latest.moment)) AS days_ago,
         count(DISTINCT order_id) AS orders,
         CAST(sum(line_total_minor) AS BIGINT) AS spent_minor
  FROM order_lines CROSS JOIN latest
  WHERE kind = 'sale' AND NOT synthetic AND customer_id IS NOT NULL
  GROUP BY 1, 2
), scored AS (
  SELECT customers.*,
         6 - ntile(5) OVER (PARTITION BY currency ORDER BY days_ago, customer_id) AS recency,
         ntile(5) OVER (PARTITION BY currency ORDER BY orders, customer_id) AS frequency,
         ntile(5) OVER (PARTITION BY currency ORDER BY spent_minor, customer_id) AS money
  FROM customers
), named AS (
  SELECT scored.*,
         CASE WHEN recency >= 4 AND frequency >= 4 AND money >= 4 THEN 'champions'
              WHEN recency >= 4 AND frequency <= 2 THEN 'new'
              WHEN recency >= 4 THEN 'loyal'
              WHEN recency <= 2 AND money >= 4 THEN 'slipping away'
              WHEN recency = 1 THEN 'lost'
              ELSE 'others' END AS segment
  FROM scored
)
SELECT segment,
       currency,
       count(*) AS customers,
       round(avg(days_ago), 0) AS days_ago,
       round(avg(orders), 1) AS orders_each,
       CAST(sum(spent_minor) AS BIGINT) AS spent_minor
FROM named
GROUP BY 1, 2
ORDER BY spent_minor DESC
