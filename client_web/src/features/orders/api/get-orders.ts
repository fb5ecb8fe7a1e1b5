import { infiniteQueryOptions } from "@tanstack/react-query";

import { checkout, dataOf } from "@/lib/api/client";

export const ordersOptions = (userId: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["orders", userId],
    queryFn: ({ pageParam, signal }) =>
      dataOf(
        checkout.GET("/api/checkout/orders", {
          params: { query: { cursor: pageParam ?? undefined } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
  });
