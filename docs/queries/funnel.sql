-- How far do visits get? A visit is at a step when it took that step and every one before it.
WITH visits AS (
  SELECT session_id,
         min(CASE WHEN event_type = 'shopper.product_viewed.v1' THEN occurred_at END) AS viewed,
         max(CASE WHEN event_type = 'shopper.cart_changed.v1' THEN occurred_at END) AS cart,
         max(CASE WHEN event_type = 'shopper.checkout_started.v1' THEN occurred_at END) AS checkout,
         max(CASE WHEN event_type = 'shopper.order_completed.v1' THEN occurred_at END) AS ordered
  FROM clickstream
  WHERE NOT synthetic AND session_id IS NOT NULL
  GROUP BY session_id
), steps AS (
  SELECT 1 AS step, 'visit' AS name, count(*) AS visits FROM visits
  UNION ALL
  SELECT 2, 'product viewed', count(viewed) FROM visits
  UNION ALL
  SELECT 3, 'put in the cart', count(*) FROM visits WHERE cart >= viewed
  UNION ALL
  SELECT 4, 'checkout', count(*) FROM visits WHERE cart >= viewed AND checkout >= viewed
  UNION ALL
  SELECT 5, 'order', count(*) FROM visits
  WHERE cart >= viewed AND checkout >= viewed AND ordered >= checkout
)
SELECT step,
       name,
       visits,
       round(100e0 * visits / nullif(max(visits) OVER (), 0), 1) AS percent
FROM steps
ORDER BY step
