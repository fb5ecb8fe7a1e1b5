import { useCartChange } from "@/features/cart/api/use-cart-change";
import { checkout, dataOf } from "@/lib/api/client";

export const useApplyPromotion = () =>
  useCartChange((code: string) => dataOf(checkout.PUT("/api/checkout/cart/promotion", { body: { code } })));

export const useDropPromotion = () =>
  useCartChange<undefined>(() => dataOf(checkout.DELETE("/api/checkout/cart/promotion")));
