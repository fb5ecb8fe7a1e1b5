-- What did each country bring, month by month? Net: refunds are rows at or below zero.
SELECT CAST(date_trunc('month', placed_at) AS DATE) AS month,
       country,
       currency,
       count(DISTINCT CASE WHEN kind = 'sale' THEN order_id END) AS orders,
       CAST(sum(line_total_minor) AS BIGINT) AS net_minor
FROM order_lines
WHERE NOT synthetic
GROUP BY 1, 2, 3
ORDER BY month, net_minor DESC, country
