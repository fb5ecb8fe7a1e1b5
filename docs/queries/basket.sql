-- What is bought together? Pairs of products that 1 % of all orders hold, by lift: how many times
-- more often than if people chose them apart. Confidence: orders with the first that have the other.
-- Orders of over 60 products are a wholesaler's; every pair in them would say little.
WITH small AS (
  SELECT order_id
  FROM order_lines
  WHERE kind = 'sale' AND NOT synthetic
  GROUP BY order_id
  HAVING count(DISTINCT product_id) <= 60
), baskets AS (
  SELECT DISTINCT lines.order_id, lines.product_id
  FROM order_lines lines JOIN small ON small.order_id = lines.order_id
  WHERE lines.kind = 'sale'
), total AS (
  SELECT count(DISTINCT order_id) AS orders FROM baskets
), products AS (
  SELECT product_id, count(*) AS orders
  FROM baskets
  GROUP BY product_id
  HAVING 100 * count(*) >= (SELECT orders FROM total)
), frequent AS (
  SELECT baskets.order_id, baskets.product_id
  FROM baskets JOIN products ON products.product_id = baskets.product_id
), pairs AS (
  SELECT a.product_id AS first_id, b.product_id AS second_id, count(*) AS orders
  FROM frequent a JOIN frequent b ON a.order_id = b.order_id AND a.product_id < b.product_id
  GROUP BY 1, 2
  HAVING 100 * count(*) >= (SELECT orders FROM total)
), titles AS (
  SELECT product_id, max(title) AS title
  FROM order_lines
  WHERE kind = 'sale' AND NOT synthetic
  GROUP BY product_id
)
SELECT one.title AS product,
       other.title AS bought_with,
       pairs.orders,
       round(100e0 * pairs.orders / a.orders, 1) AS confidence_percent,
       round(1e0 * pairs.orders * total.orders / a.orders / b.orders, 1) AS lift
FROM pairs
JOIN products a ON a.product_id = pairs.first_id
JOIN products b ON b.product_id = pairs.second_id
JOIN titles one ON one.product_id = pairs.first_id
JOIN titles other ON other.product_id = pairs.second_id
CROSS JOIN total
ORDER BY lift DESC, pairs.orders DESC, product, bought_with
LIMIT 20
