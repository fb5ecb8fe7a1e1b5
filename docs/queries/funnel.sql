-- How far do visits get? A visit counts for the furthest step that it took and all before that one.
WITH visits AS (
  SELECT session_id,
         max(CASE event_type
               WHEN 'shopper.product_viewed.v1' THEN 2
               WHEN 'shopper.cart_changed.v1' THEN 3
               WHEN 'shopper.checkout_started.v1' THEN 4
               WHEN 'shopper.order_completed.v1' THEN 5
               ELSE 1
             END) AS furthest
  FROM clickstream
  WHERE NOT synthetic AND session_id IS NOT NULL
  GROUP BY session_id
), steps (step, name) AS (
  VALUES (1, 'visit'), (2, 'product viewed'), (3, 'put in the cart'), (4, 'checkout'), (5, 'order')
), reached AS (
  SELECT step, name, count(furthest) AS visits
  FROM steps
  LEFT JOIN visits ON furthest >= step
  GROUP BY step, name
)
SELECT step,
       name,
       visits,
       round(100e0 * visits / nullif(max(visits) OVER (), 0), 1) AS percent
FROM reached
ORDER BY step
