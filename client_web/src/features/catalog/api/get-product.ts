import { queryOptions } from "@tanstack/react-query";

import { catalog, dataOf } from "@/lib/api/client";

export const productOptions = (productId: string) =>
  queryOptions({
    queryKey: ["product", productId],
    queryFn: ({ signal }) =>
      dataOf(
        catalog.GET("/api/catalog/products/{product_id}", {
          params: { path: { product_id: productId } },
          signal,
        }),
      ),
  });

export const relatedOptions = (productId: string) =>
  queryOptions({
    queryKey: ["product", productId, "related"],
    queryFn: ({ signal }) =>
      dataOf(
        catalog.GET("/api/catalog/products/{product_id}/related", {
          params: { path: { product_id: productId } },
          signal,
        }),
      ),
    staleTime: 300_000,
  });
