import { useMutation, useQueryClient } from "@tanstack/react-query";

import { orderOptions } from "@/features/orders/api/get-order";
import { checkout, dataOf } from "@/lib/api/client";

export function useCancelOrder(orderId: string) {
  const client = useQueryClient();
  const { queryKey } = orderOptions(orderId);
  return useMutation({
    mutationFn: () =>
      dataOf(
        checkout.POST("/api/checkout/orders/{order_id}/cancel", {
          params: { path: { order_id: orderId } },
        }),
      ),
    onSuccess: (order) => {
      client.setQueryData(queryKey, order);
    },
    // Refused usually means it was packed meanwhile: show how it stands.
    onSettled: () => client.invalidateQueries({ queryKey }),
  });
}
