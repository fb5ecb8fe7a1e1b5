import { http, HttpResponse } from "msw";

import {
  aCart, aLetter, aProduct, aProductPage, anOrder, aSignIn, CATEGORIES, withPromotion,
} from "@/testing/builders";

import type { Cart } from "@/lib/api/types";

let cart: Cart = aCart([]);

export function resetCart(next: Cart): void {
  cart = next;
}

/** The API as the contracts have it, over one small catalogue and one cart. */
export const handlers = [
  http.get("*/api/catalog/products", () => HttpResponse.json(aProductPage())),
  http.get("*/api/catalog/products/:id", ({ params }) =>
    HttpResponse.json(aProduct({ product_id: String(params["id"]) })),
  ),
  http.get("*/api/catalog/products/:id/related", () =>
    HttpResponse.json({ items: aProductPage().items, next_cursor: null }),
  ),
  http.get("*/api/catalog/categories", () => HttpResponse.json({ items: CATEGORIES, next_cursor: null })),
  http.get("*/api/catalog/suggest", () =>
    HttpResponse.json({ items: [{ text: "Summit Jacket", kind: "product", product_id: "p-1" }] }),
  ),
  http.get("*/api/checkout/cart", () => HttpResponse.json(cart)),
  http.put<{ sku: string }, { quantity: number }>("*/api/checkout/cart/items/:sku", async ({ params, request }) => {
    const { quantity } = await request.json();
    const known =
      [...cart.items, ...cart.saved].find((line) => line.sku === params.sku) ??
      aCart([{ sku: params.sku }]).items[0];
    const others = cart.items.filter((line) => line.sku !== params.sku);
    cart = aCart(known && quantity > 0 ? [...others, { ...known, quantity }] : others);
    return HttpResponse.json(cart);
  }),
  http.put<{ sku: string }>("*/api/checkout/cart/saved/:sku", ({ params }) => {
    const saved = cart.items.filter((line) => line.sku === params.sku);
    cart = { ...aCart(cart.items.filter((line) => line.sku !== params.sku)), saved };
    return HttpResponse.json(cart);
  }),
  http.put<never, { code: string }>("*/api/checkout/cart/promotion", async ({ request }) => {
    const { code } = await request.json();
    cart = withPromotion(cart, code.toUpperCase());
    return HttpResponse.json(cart);
  }),
  http.delete("*/api/checkout/cart/promotion", () => {
    cart = aCart(cart.items);
    return HttpResponse.json(cart);
  }),
  http.post("*/api/checkout/orders", () => {
    cart = aCart([]);
    return HttpResponse.json(anOrder({ status: "placed" }), { status: 201 });
  }),
  http.get("*/api/checkout/orders/:id", () => HttpResponse.json(anOrder())),
  http.get("*/api/checkout/orders", () => HttpResponse.json({ items: [], next_cursor: null })),
  http.get("*/api/users/me/addresses", () => HttpResponse.json({ items: [], next_cursor: null })),
  http.get("*/api/users/me/sessions", () =>
    HttpResponse.json({ items: [aSignIn()], next_cursor: null }),
  ),
  http.get("*/api/users/mailbox", () => HttpResponse.json({ items: [aLetter()], next_cursor: null })),
  http.post("*/api/analytics/events", () => HttpResponse.json({ accepted: 1, rejected: [] }, { status: 202 })),
];
