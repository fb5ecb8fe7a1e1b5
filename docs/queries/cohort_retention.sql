-- Who comes back? Customers by the month of their first order, and how many buy again n months later.
WITH active AS (
  SELECT DISTINCT customer_id, CAST(date_trunc('month', placed_at) AS DATE) AS month
  FROM order_lines
  WHERE kind = 'sale' AND NOT synthetic AND customer_id IS NOT NULL
), cohorts AS (
  SELECT customer_id, month, min(month) OVER (PARTITION BY customer_id) AS cohort
  FROM active
), counted AS (
  SELECT cohort, date_diff('month', cohort, month) AS months_later, count(*) AS customers
  FROM cohorts
  GROUP BY 1, 2
)
SELECT cohort,
       months_later,
       customers,
       round(100e0 * customers / max(customers) OVER (PARTITION BY cohort), 1) AS percent
FROM counted
ORDER BY cohort, months_later
