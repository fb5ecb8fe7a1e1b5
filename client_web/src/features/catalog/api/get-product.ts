import { queryOptions } from "@tanstack/react-query";

import { request } from "@/lib/api/client";

import type { Page, Product, ProductSummary } from "@/lib/api/types";

export const productOptions = (productId: string) =>
  queryOptions({
    queryKey: ["product", productId],
    queryFn: ({ signal }) =>
      request<Product>(`/catalog/products/${encodeURIComponent(productId)}`, { signal }),
  });

export const relatedOptions = (productId: string) =>
  queryOptions({
    queryKey: ["product", productId, "related"],
    queryFn: ({ signal }) =>
      request<Page<ProductSummary>>(
        `/catalog/products/${encodeURIComponent(productId)}/related`,
        { signal },
      ),
    staleTime: 300_000,
  });
