import { useCartChange } from "@/features/cart/api/use-cart-change";
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

export const useSetQuantity = () =>
  useCartChange(setQuantity, (change) => {
    track("cart_changed", change);
  });
