import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { catalog, dataOf } from "@/lib/api/client";

import type { Sort } from "@/lib/api/types";

export const SORTS: readonly Sort[] = ["relevance", "price_asc", "price_desc", "rating", "newest"];

export interface ProductFilter {
  q?: string;
  category?: string;
  min_price?: number;
  max_price?: number;
  in_stock?: boolean;
  featured?: boolean;
  /** `<option>:<value>` each; values of one option widen, options narrow. */
  option?: string[];
  sort?: Sort;
}

const getProducts = (
  query: ProductFilter & { cursor?: string; page_size: number },
  signal: AbortSignal,
) => dataOf(catalog.GET("/api/catalog/products", { params: { query }, signal }));

/** One page, for the shelves of the home page. */
export const shelfOptions = (filter: ProductFilter, pageSize: number) =>
  queryOptions({
    queryKey: ["products", "shelf", filter, pageSize],
    queryFn: ({ signal }) => getProducts({ ...filter, page_size: pageSize }, signal),
    staleTime: 60_000,
  });

/** The filtered list, page after page, starting at the address bar's cursor if it has one. */
export const productListOptions = (filter: ProductFilter, firstCursor: string | null) =>
  infiniteQueryOptions({
    queryKey: ["products", "list", filter, firstCursor],
    queryFn: ({ pageParam, signal }) =>
      getProducts({ ...filter, cursor: pageParam ?? undefined, page_size: 24 }, signal),
    initialPageParam: firstCursor,
    getNextPageParam: (page) => page.next_cursor,
  });
