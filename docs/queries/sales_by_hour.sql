-- When do people buy? Hours of the day in UTC, all days together.
SELECT hour(placed_at) AS hour_utc,
       currency,
       count(DISTINCT order_id) AS orders,
       CAST(sum(quantity) AS BIGINT) AS units,
       CAST(sum(line_total_minor) AS BIGINT) AS gross_minor
FROM order_lines
WHERE kind = 'sale' AND NOT synthetic
GROUP BY 1, 2
ORDER BY hour_utc, currency
