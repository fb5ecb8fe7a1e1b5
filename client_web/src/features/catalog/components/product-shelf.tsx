import { Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { ProductGrid, ProductGridSkeleton } from "@/features/catalog/components/product-grid";
import { ErrorView } from "@/components/error-view";
import { shelfOptions } from "@/features/catalog/api/get-products";

import type { ProductFilter } from "@/features/catalog/api/get-products";

import classes from "@/features/catalog/components/product-shelf.module.css";

interface Props {
  title: string;
  filter: ProductFilter;
  moreUrl: string;
}

const COUNT = 6;

export function ProductShelf({ title, filter, moreUrl }: Props) {
  const shelf = useQuery(shelfOptions(filter, COUNT));
  if (shelf.isSuccess && shelf.data.items.length === 0) return null;
  return (
    <section className={classes.section}>
      <div className={classes.head}>
        <Title order={2}>{title}</Title>
        <Link to={moreUrl} aria-label={`See all: ${title}`}>
          See all
        </Link>
      </div>
      {shelf.isPending && <ProductGridSkeleton count={COUNT} layout="shelf" />}
      {shelf.isError && <ErrorView error={shelf.error} onRetry={() => void shelf.refetch()} />}
      {shelf.isSuccess && <ProductGrid products={shelf.data.items} layout="shelf" />}
    </section>
  );
}
