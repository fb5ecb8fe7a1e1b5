"""What the shop sells: search and product pages for shoppers, goods and stock for operators."""
