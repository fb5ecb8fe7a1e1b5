import { infiniteQueryOptions } from "@tanstack/react-query";

import { request } from "@/lib/api/client";

import type { OrderSummary, Page } from "@/lib/api/types";

export const ordersOptions = (userId: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ["orders", userId],
    queryFn: ({ pageParam, signal }) =>
      request<Page<OrderSummary>>("/checkout/orders", { query: { cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
  });
