import { Button, NativeSelect, Text, Title } from "@mantine/core";
import IconAdjustmentsHorizontal from "@tabler/icons-react/icons/IconAdjustmentsHorizontal";
import IconSearchOff from "@tabler/icons-react/icons/IconSearchOff";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useSearchParams } from "react-router";

import { EmptyState } from "@/components/empty-state";
import { ErrorView } from "@/components/error-view";
import { Sheet } from "@/components/sheet";
import { productListOptions } from "@/features/catalog/api/get-products";
import { ActiveFilters, Filters } from "@/features/catalog/components/filters";
import { ProductGrid, ProductGridSkeleton } from "@/features/catalog/components/product-grid";
import { categoryName, filterFromUrl, suggestionUrl, urlWith } from "@/features/catalog/filter-url";
import { track } from "@/lib/analytics/track";
import { useDocumentTitle } from "@/lib/document-title";

import type { Sort, Suggestion } from "@/lib/api/types";
import type { MouseEvent } from "react";

import classes from "@/app/pages/products-page.module.css";

const SORT_TEXT: Record<Sort, string> = {
  relevance: "Most relevant",
  newest: "Newest",
  rating: "Best rated",
  price_asc: "Price, low to high",
  price_desc: "Price, high to low",
};

/** Ways on from a search that found nothing. */
function Instead({ suggestions }: { suggestions: Suggestion[] }) {
  if (suggestions.length === 0) return null;
  return (
    <ul className={classes.instead} aria-label="You could look at">
      {suggestions.map((each) => (
        <li key={each.text}>
          <Link to={suggestionUrl(each)}>{each.kind === "category" ? categoryName(each.text) : each.text}</Link>
        </li>
      ))}
    </ul>
  );
}

export function ProductsPage() {
  const [search, setSearch] = useSearchParams();
  const filter = filterFromUrl(search);
  const [isSheetOpen, setSheetOpen] = useState(false);
  const list = useInfiniteQuery(productListOptions(filter, search.get("cursor")));

  const first = list.data?.pages[0];
  const products = list.data?.pages.flatMap((page) => page.items) ?? [];
  const total = first?.total;
  const currency = products[0]?.price.currency ?? "GBP";
  const nextCursor = list.data?.pages.at(-1)?.next_cursor ?? null;
  const heading = filter.q
    ? `Results for “${filter.q}”`
    : filter.category
      ? categoryName(filter.category)
      : "All products";
  useDocumentTitle(heading);

  const query = filter.q;
  useEffect(() => {
    if (query && total !== undefined) track("searched", { query, results_count: total });
  }, [query, total]);

  function loadMore(event: MouseEvent) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    void list.fetchNextPage();
  }

  const filters = <Filters facets={first?.facets} currency={currency} />;
  const activeCount = [
    filter.category,
    filter.min_price ?? filter.max_price,
    filter.in_stock,
    ...(filter.option ?? []),
  ].filter((value) => value !== undefined).length;
  const moreSearch = new URLSearchParams(search);
  if (nextCursor) moreSearch.set("cursor", nextCursor);

  return (
    <div className={classes.page}>
      <aside className={classes.side} aria-label="Filters">
        {first && filters}
      </aside>
      <div className={classes.results}>
        <div className={classes.head}>
          <div>
            <Title order={1}>{heading}</Title>
            <Text c="dimmed" size="sm" role="status">
              {total === undefined
                ? "\u00a0"
                : `${total.toLocaleString("en-GB")} ${total === 1 ? "product" : "products"}`}
            </Text>
          </div>
          <div className={classes.tools}>
            <Button
              className={classes.filterButton}
              variant="default"
              leftSection={<IconAdjustmentsHorizontal size={18} aria-hidden />}
              onClick={() => {
                setSheetOpen(true);
              }}
            >
              {activeCount > 0 ? `Filters (${String(activeCount)})` : "Filters"}
            </Button>
            <NativeSelect
              aria-label="Sort by"
              className={classes.sort}
              value={filter.sort ?? "relevance"}
              data={Object.entries(SORT_TEXT).map(([value, label]) => ({ value, label }))}
              onChange={(event) => {
                const sort = event.target.value as Sort;
                setSearch(urlWith(search, { sort: sort === "relevance" ? undefined : sort }));
              }}
            />
          </div>
        </div>
        <ActiveFilters currency={currency} />
        {list.isPending && <ProductGridSkeleton count={12} />}
        {list.isError && products.length === 0 && (
          <ErrorView error={list.error} onRetry={() => void list.refetch()} />
        )}
        {list.isSuccess && products.length === 0 && (
          <EmptyState
            icon={<IconSearchOff size={40} stroke={1.4} color="var(--mantine-color-dimmed)" aria-hidden />}
            order={2}
            title={filter.q ? `Nothing found for “${filter.q}”` : "Nothing here yet"}
            action={
              <Button component={Link} to="/products" mt="sm">
                See all products
              </Button>
            }
          >
            Try a simpler word, check the spelling, or take some filters away.
            <Instead suggestions={first?.suggestions ?? []} />
          </EmptyState>
        )}
        <h2 className="visually-hidden">Products</h2>
        {products.length > 0 && <ProductGrid products={products} eagerCount={4} />}
        {list.isError && products.length > 0 && (
          <ErrorView
            error={list.error}
            title="The next page did not load"
            onRetry={() => void list.fetchNextPage()}
          />
        )}
        {nextCursor && !list.isError && (
          <div className={classes.more}>
            <Text size="sm" c="dimmed">
              {products.length.toLocaleString("en-GB")} shown
            </Text>
            <Button
              component={Link}
              to={{ search: moreSearch.toString() }}
              variant="default"
              size="md"
              loading={list.isFetchingNextPage}
              onClick={loadMore}
            >
              Load more
            </Button>
          </div>
        )}
      </div>
      <Sheet
        title="Filters"
        isOpen={isSheetOpen}
        onClose={() => {
          setSheetOpen(false);
        }}
        footer={
          <Button
            fullWidth
            size="md"
            onClick={() => {
              setSheetOpen(false);
            }}
          >
            {total === undefined ? "Show results" : `Show ${total.toLocaleString("en-GB")} products`}
          </Button>
        }
      >
        {filters}
      </Sheet>
    </div>
  );
}
