import { Link } from "react-router";

import { Picture } from "@/components/picture";
import { Rating } from "@/components/rating";
import { formatMoney } from "@/lib/format-money";

import type { ProductSummary } from "@/lib/api/types";

import classes from "@/features/catalog/components/product-card.module.css";

interface Props {
  product: ProductSummary;
  isEager?: boolean;
}

/** The title's link covers the whole card: one tab stop, one name, a large target. */
export function ProductCard({ product, isEager = false }: Props) {
  return (
    <article className={classes.card} data-sold-out={!product.in_stock || undefined}>
      <Picture src={product.image_url} alt="" isEager={isEager} className={classes.picture} />
      {!product.in_stock && <span className={classes.flag}>Sold out</span>}
      <h3 className={classes.title}>
        <Link to={`/products/${encodeURIComponent(product.product_id)}`}>{product.title}</Link>
      </h3>
      <p className={classes.price}>{formatMoney(product.price)}</p>
      <Rating rating={product.rating} reviewCount={product.review_count} />
    </article>
  );
}
