import { useCartChange } from "@/features/cart/api/use-cart-change";
import { checkout, dataOf } from "@/lib/api/client";

const path = (sku: string) => ({ params: { path: { sku } } });

/** Takes a line out of the cart and keeps it beside; setting its quantity brings it back. */
export const useSaveForLater = () =>
  useCartChange((sku: string) => dataOf(checkout.PUT("/api/checkout/cart/saved/{sku}", path(sku))));

export const useForgetSaved = () =>
  useCartChange((sku: string) => dataOf(checkout.DELETE("/api/checkout/cart/saved/{sku}", path(sku))));
