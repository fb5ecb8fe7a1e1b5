import { queryOptions } from "@tanstack/react-query";

import { catalog, dataOf } from "@/lib/api/client";

const TRY_AGAIN_MS = 5_000;

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
    // Without its variants it was read while the table was out of reach.
    refetchInterval: ({ state }) => state.data?.variants.length === 0 && TRY_AGAIN_MS,
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
