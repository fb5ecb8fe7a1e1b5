import { useMutation, useQueryClient } from "@tanstack/react-query";

import { endIntent, intentKey } from "@/features/checkout/intent-key";
import { track } from "@/lib/analytics/track";
import { checkout, dataOf } from "@/lib/api/client";
import { Problem } from "@/lib/api/problem";

import type { CartLine, NewOrder } from "@/lib/api/types";

interface Intent {
  order: NewOrder;
  lines: CartLine[];
}

const placeOrder = ({ order, lines }: Intent) =>
  dataOf(
    checkout.POST("/api/checkout/orders", {
      params: { header: { "Idempotency-Key": intentKey(order, lines) } },
      body: order,
    }),
  );

export function usePlaceOrder() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: placeOrder,
    // The key makes a repeat safe even if the first attempt got through and only its answer was lost.
    retry: (failures, error) => error instanceof Problem && error.isRetryable && failures < 2,
    retryDelay: (attempt) => 400 * 2 ** attempt,
    onSuccess: (order) => {
      endIntent();
      track("order_completed", {
        order_id: order.order_id,
        total_minor: order.total.amount_minor,
        currency: order.total.currency,
      });
      client.removeQueries({ queryKey: ["orders"] });
    },
    onError: async (error) => {
      if (error instanceof Problem && !error.isRetryable && error.status < 500) {
        endIntent();
        await client.invalidateQueries({ queryKey: ["cart"] });
      }
    },
  });
}
