import { Skeleton } from "@mantine/core";

import { ProductCard } from "@/features/catalog/components/product-card";

import type { ProductSummary } from "@/lib/api/types";

import classes from "@/features/catalog/components/product-grid.module.css";

interface Props {
  products: ProductSummary[];
  /** "shelf" is one row that scrolls sideways on a phone. */
  layout?: "grid" | "shelf";
  eagerCount?: number;
}

export function ProductGrid({ products, layout = "grid", eagerCount = 0 }: Props) {
  return (
    <ul className={classes[layout]}>
      {products.map((product, index) => (
        <li key={product.product_id}>
          <ProductCard product={product} isEager={index < eagerCount} />
        </li>
      ))}
    </ul>
  );
}

export function ProductGridSkeleton({ count, layout = "grid" }: { count: number; layout?: "grid" | "shelf" }) {
  return (
    <div className={classes[layout]} aria-hidden="true">
      {Array.from({ length: count }, (_, index) => (
        <div key={index}>
          <Skeleton className={classes.picture} radius="md" />
          <Skeleton height={14} mt="sm" width="90%" />
          <Skeleton height={14} mt={8} width="40%" />
        </div>
      ))}
    </div>
  );
}
