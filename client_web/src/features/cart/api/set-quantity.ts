import { useMutation, useQueryClient } from "@tanstack/react-query";

import { cartOptions } from "@/features/cart/api/get-cart";
import { track } from "@/lib/analytics/track";
import { checkout, dataOf } from "@/lib/api/client";

export interface QuantityChange {
  sku: string;
  product_id: string;
  /** The new quantity of the line, not a difference: safe to repeat. 0 removes. */
  quantity: number;
}

const setQuantity = ({ sku, quantity }: QuantityChange) =>
  dataOf(
    checkout.PUT("/api/checkout/cart/items/{sku}", { params: { path: { sku } }, body: { quantity } }),
  );

export function useSetQuantity() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: setQuantity,
    scope: { id: "cart" },
    onSuccess: async (cart, change) => {
      track("cart_changed", change);
      const { queryKey } = cartOptions();
      await client.cancelQueries({ queryKey });
      client.setQueryData(queryKey, cart);
      await client.invalidateQueries({
        queryKey,
        predicate: (query) => query.queryKey.length > 1,
      });
    },
  });
}
