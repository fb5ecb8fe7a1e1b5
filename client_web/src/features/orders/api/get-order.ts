import { queryOptions } from "@tanstack/react-query";

import { isSettled } from "@/features/orders/status";
import { checkout, dataOf } from "@/lib/api/client";

import type { Order } from "@/lib/api/types";

const LIVE_MS = 1_500;
const LIVE_FOR_MS = 180_000;
const CALM_MS = 10_000;

/** Follows the order until it is settled: closely while things happen, calmly after some minutes. */
function pollEvery(order: Order | undefined): number | false {
  if (!order || isSettled(order)) return false;
  const lastChange = Date.parse(order.timeline.at(-1)?.at ?? order.placed_at);
  return Date.now() - lastChange < LIVE_FOR_MS ? LIVE_MS : CALM_MS;
}

export const orderOptions = (orderId: string) =>
  queryOptions({
    queryKey: ["order", orderId],
    // "no-cache" makes the browser ask with If-None-Match: an unchanged order costs a 304.
    queryFn: ({ signal }) =>
      dataOf(
        checkout.GET("/api/checkout/orders/{order_id}", {
          params: { path: { order_id: orderId } },
          cache: "no-cache",
          signal,
        }),
      ),
    refetchInterval: (query) => pollEvery(query.state.data),
    staleTime: 0,
  });
