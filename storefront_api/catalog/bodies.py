"""From the body of a product, sent alone or as a line of an import, to the product itself."""

from pipeline.contracts.errors import Unprocessable
from storefront_api.catalog import models
from storefront_api.catalog.domain import Product, StockRow


def to_goods(
    product_id: str, body: models.ProductBody, currency: str
) -> tuple[Product, list[StockRow]]:
    """The product and its rows as they would start; raises Unprocessable naming the field."""
    rows: list[StockRow] = []
    for index, variant in enumerate(body.variants):
        field = f"variants.{index}"
        if variant.price.currency != currency:
            raise _unprocessable(f"{field}.price.currency", f"The shop sells in {currency}")
        if any(variant.sku == row.sku for row in rows):
            raise _unprocessable(f"{field}.sku", f"SKU {variant.sku} is given twice")
        if any(variant.options == row.options for row in rows):
            raise _unprocessable(f"{field}.options", "Another variant has the same options")
        rows.append(
            StockRow.new(
                product_id,
                variant.sku,
                index + 1,
                variant.options,
                variant.price.amount_minor,
                currency,
                variant.stock,
            )
        )
    product = Product(
        product_id=product_id,
        title=body.title,
        description=body.description,
        category=tuple(body.category),
        price_minor=0,
        currency=currency,
        created_at="",
        changed_at="",
        brand=body.brand,
        image_url=body.image_url,
        images=(body.image_url,) if body.image_url else (),
        tags=tuple(body.tags),
        featured=body.featured,
    )
    return product, rows


def _unprocessable(field: str, message: str) -> Unprocessable:
    return Unprocessable(message, errors=[{"field": field, "message": message}])
