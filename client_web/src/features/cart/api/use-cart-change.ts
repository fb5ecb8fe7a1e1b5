import { useMutation, useQueryClient } from "@tanstack/react-query";

import { cartOptions } from "@/features/cart/api/get-cart";

import type { Cart } from "@/lib/api/types";

/** A change of the cart: one after the other, each answer is the cart as it then stands. */
export function useCartChange<Change>(
  mutationFn: (change: Change) => Promise<Cart>,
  onChanged?: (change: Change) => void,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    scope: { id: "cart" },
    onSuccess: async (cart, change) => {
      onChanged?.(change);
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
