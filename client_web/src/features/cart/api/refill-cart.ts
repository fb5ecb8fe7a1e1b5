import { useMutation, useQueryClient } from "@tanstack/react-query";

import { cartOptions } from "@/features/cart/api/get-cart";
import { checkout } from "@/lib/api/client";
import { Problem } from "@/lib/api/problem";

interface WantedLine {
  sku: string;
  quantity: number;
}

/** Puts an order's goods back into the cart, one line after the other; sold-out lines stay out. */
async function refill(lines: WantedLine[]): Promise<{ skipped: number }> {
  let skipped = 0;
  for (const { sku, quantity } of lines) {
    try {
      await checkout.PUT("/api/checkout/cart/items/{sku}", {
        params: { path: { sku } },
        body: { quantity },
      });
    } catch (error) {
      if (!(error instanceof Problem) || error.isRetryable) throw error;
      skipped += 1;
    }
  }
  return { skipped };
}

export function useRefillCart() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: refill,
    onSettled: () => client.invalidateQueries({ queryKey: cartOptions().queryKey }),
  });
}
