import { Skeleton, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useParams } from "react-router";

import { NotFound } from "@/app/pages/not-found-page";
import { ErrorView } from "@/components/error-view";
import { Picture } from "@/components/picture";
import { Rating } from "@/components/rating";
import { AddToCart } from "@/features/cart/components/add-to-cart";
import { productOptions, relatedOptions } from "@/features/catalog/api/get-product";
import { OptionPicker } from "@/features/catalog/components/option-picker";
import { ProductDescription } from "@/features/catalog/components/product-description";
import { ProductGrid } from "@/features/catalog/components/product-grid";
import { categoryPath, categoryUrl } from "@/features/catalog/filter-url";
import { findVariant, initialSelection, optionNames, priceRange } from "@/features/catalog/variants";
import { track } from "@/lib/analytics/track";
import { Problem } from "@/lib/api/problem";
import { useDocumentTitle } from "@/lib/document-title";
import { formatMoney } from "@/lib/format-money";

import type { Product, Variant } from "@/lib/api/types";

import classes from "@/app/pages/product-page.module.css";

const FEW = 5;

function StockHint({ variant, isSoldOut }: { variant: Variant | null; isSoldOut: boolean }) {
  if (isSoldOut) return <p className={classes.stock} data-tone="bad">Sold out</p>;
  if (!variant) return null;
  if (variant.available <= 0) return <p className={classes.stock} data-tone="bad">Sold out in this choice</p>;
  if (variant.available <= FEW) {
    return <p className={classes.stock} data-tone="warn">{`Only ${String(variant.available)} left`}</p>;
  }
  return <p className={classes.stock} data-tone="good">In stock</p>;
}

function Breadcrumbs({ category }: { category: string[] }) {
  return (
    <nav aria-label="Breadcrumb" className={classes.crumbs}>
      <ol>
        <li>
          <Link to="/products">All</Link>
        </li>
        {category.map((name, index) => (
          <li key={name}>
            <Link to={categoryUrl(categoryPath(category.slice(0, index + 1)))}>{name}</Link>
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** The shop knows the product, but cannot read what there is of it. */
function NotNow({ product }: { product: Product }) {
  return (
    <>
      <p className={classes.price}>{formatMoney(product.price)}</p>
      <p className={classes.stock} data-tone="warn" role="status">
        We cannot look into our stock at the moment. This page tries again by itself.
      </p>
    </>
  );
}

function Buy({ product }: { product: Product }) {
  const [selection, setSelection] = useState(() => initialSelection(product.variants));
  const [missing, setMissing] = useState<string | null>(null);
  const variant = findVariant(product.variants, selection);
  const range = priceRange(product.variants, selection);
  const isSoldOut = product.variants.every((other) => other.available <= 0);
  const price = variant?.price ?? range?.low ?? product.price;
  return (
    <>
      <p className={classes.price} aria-live="polite">
        {!variant && range?.isRange && <span>from </span>}
        {formatMoney(price)}
      </p>
      <OptionPicker
        variants={product.variants}
        selection={selection}
        missing={missing}
        onChange={(next) => {
          setSelection(next);
          setMissing(null);
        }}
      />
      <div aria-live="polite">
        <StockHint variant={variant} isSoldOut={isSoldOut} />
      </div>
      <AddToCart
        key={variant?.sku}
        productId={product.product_id}
        title={product.title}
        variant={variant}
        isSoldOut={isSoldOut || (variant !== null && variant.available <= 0)}
        onIncomplete={() => {
          setMissing(optionNames(product.variants).find((name) => selection[name] === undefined) ?? null);
        }}
      />
    </>
  );
}

function ProductSkeleton() {
  return (
    <div className={classes.product} aria-hidden="true">
      <Skeleton className={classes.pictureSkeleton} radius="lg" />
      <Stack>
        <Skeleton height={34} width="85%" />
        <Skeleton height={20} width="40%" />
        <Skeleton height={44} width="100%" />
        <Skeleton height={44} width="100%" />
        <Skeleton height={120} />
      </Stack>
    </div>
  );
}

export function ProductPage() {
  const { productId = "" } = useParams();
  const product = useQuery(productOptions(productId));
  const related = useQuery(relatedOptions(productId));
  const data = product.data;
  useDocumentTitle(data?.title);
  const viewed = data?.product_id;
  useEffect(() => {
    if (viewed) track("product_viewed", { product_id: viewed });
  }, [viewed]);

  if (product.isPending) return <ProductSkeleton />;
  if (!data) {
    return product.error instanceof Problem && product.error.status === 404 ? (
      <NotFound what="This product is no longer here" />
    ) : (
      <ErrorView error={product.error} onRetry={() => void product.refetch()} />
    );
  }
  return (
    <>
      <Breadcrumbs category={data.category} />
      <div className={classes.product}>
        <div className={classes.gallery}>
          <Picture
            src={data.image_url ?? data.images[0] ?? null}
            alt={data.title}
            isEager
            className={data.featured ? classes.large : classes.small}
          />
        </div>
        <div className={classes.info}>
          {data.brand && (
            <Text size="sm" c="dimmed" fw={600}>
              {data.brand}
            </Text>
          )}
          <Title order={1}>{data.title}</Title>
          <Rating rating={data.rating} reviewCount={data.review_count} isLong />
          {data.variants.length > 0 ? <Buy key={data.product_id} product={data} /> : <NotNow product={data} />}
          <Text size="sm" c="dimmed" mt="sm">
            Standard or express delivery. Cancel free of charge until we pack.
          </Text>
        </div>
        <section className={classes.description} aria-label="Description">
          <ProductDescription text={data.description} />
        </section>
      </div>
      {related.isSuccess && related.data.items.length > 0 && (
        <section className={classes.related}>
          <Title order={2} mb="md">
            You may also like
          </Title>
          <ProductGrid products={related.data.items.slice(0, 6)} layout="shelf" />
        </section>
      )}
    </>
  );
}
