import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { request } from "@/lib/api/client";

import type { ProductPage } from "@/lib/api/types";

export const SORTS = ["relevance", "price_asc", "price_desc", "rating", "newest"] as const;
export type Sort = (typeof SORTS)[number];

export interface ProductFilter {
  q?: string;
  category?: string;
  min_price?: number;
  max_price?: number;
  in_stock?: boolean;
  sort?: Sort;
}

const getProducts = (
  filter: ProductFilter & { cursor?: string | null; page_size: number },
  signal?: AbortSignal,
) => request<ProductPage>("/catalog/products", { query: { ...filter }, signal });

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
      getProducts({ ...filter, cursor: pageParam, page_size: 24 }, signal),
    initialPageParam: firstCursor,
    getNextPageParam: (page) => page.next_cursor,
  });
