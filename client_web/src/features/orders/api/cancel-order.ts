import { useMutation, useQueryClient } from "@tanstack/react-query";

import { orderOptions } from "@/features/orders/api/get-order";
import { request } from "@/lib/api/client";

import type { Order } from "@/lib/api/types";

export function useCancelOrder(orderId: string) {
  const client = useQueryClient();
  const { queryKey } = orderOptions(orderId);
  return useMutation({
    mutationFn: () =>
      request<Order>(`/checkout/orders/${encodeURIComponent(orderId)}/cancel`, { method: "POST" }),
    onSuccess: (order) => {
      client.setQueryData(queryKey, order);
    },
    // Refused usually means it was packed meanwhile: show how it stands.
    onSettled: () => client.invalidateQueries({ queryKey }),
  });
}
