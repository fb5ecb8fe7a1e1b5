"""How far a session came: one definition for whoever counts sessions.

A session is of the day on which its first event happened (UTC), with all that it came to later. It
has reached the furthest step that any of its events stands for, and counts for that step and for
every one before it: who buys by a link from a mail has been at the cart. Events without a session
id, of shoppers who declined to be followed, are in no session.
"""

STEPS = ("view", "product", "cart", "checkout", "order")
# The place in STEPS that an event stands for; 0 for every other one.
REACHED = {
    "shopper.product_viewed.v1": 1,
    "shopper.cart_changed.v1": 2,
    "shopper.checkout_started.v1": 3,
    "shopper.order_completed.v1": 4,
}
