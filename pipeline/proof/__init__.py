"""The proof ledger: claims of the shop, checked from readings that do not depend on each other."""
