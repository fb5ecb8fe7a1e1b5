import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { checkout, dataOf } from "@/lib/api/client";

import type { ShippingMethod } from "@/lib/api/types";

export interface QuoteFor {
  country: string;
  shipping_method: ShippingMethod;
}

/** The cart, quoted for where and how it is to be sent; without that, as the server assumes. */
export const cartOptions = (quoteFor?: QuoteFor) =>
  queryOptions({
    queryKey: quoteFor ? ["cart", quoteFor] : ["cart"],
    queryFn: ({ signal }) => dataOf(checkout.GET("/api/checkout/cart", { params: { query: quoteFor }, signal })),
    placeholderData: quoteFor ? keepPreviousData : undefined,
    staleTime: 15_000,
  });
