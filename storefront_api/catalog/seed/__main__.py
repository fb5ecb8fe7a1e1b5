"""`python -m storefront_api.catalog.seed`: fills the products table, once."""

import sys
import time

from pydantic import Field

from pipeline.runtime import logs
from pipeline.runtime.settings import RuntimeSettings
from storefront_api.catalog.seed import sources
from storefront_api.catalog.seed.load import find_marker, load


class SeedSettings(RuntimeSettings):
    """`HAS_SEED_PRODUCTS` limits the fashion goods; the outdoor goods always come along."""

    seed_products: int = Field(default=1_000_000, ge=0)


def main() -> int:
    settings = SeedSettings()
    logs.configure(settings.log_level, service="seed")
    log = logs.get_logger()
    started = time.perf_counter()
    marker = find_marker(settings.names)
    if marker and marker["limit"] >= settings.seed_products:
        log.info("catalogue.present", products=marker["products"], seeded_at=marker["at"])
        return 0
    goods = [
        *sources.livostyle(settings.currency, settings.seed_products),
        *sources.outdoor(settings.currency),
    ]
    written = load(settings.names, goods, settings.seed_products)
    log.info(
        "catalogue.seeded",
        products=written.products,
        skus=written.skus,
        duration_s=round(time.perf_counter() - started, 1),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
