import { expect, test } from "vitest";

import { endIntent, intentKey } from "@/features/checkout/intent-key";

import type { NewOrder } from "@/lib/api/types";

const order: NewOrder = {
  email: "ada@example.com",
  shipping_address: { name: "Ada", line1: "1 Hill Road", city: "Leeds", postal_code: "LS1 1AA", country: "GB" },
  shipping_method: "standard",
  payment: { card_token: "tok_visa" },
};
const lines = [{ sku: "a", quantity: 1 }];

test("the same order keeps its key over clicks, and another order gets another one", () => {
  const key = intentKey(order, lines);
  expect(intentKey(structuredClone(order), lines)).toBe(key);
  expect(intentKey({ ...order, shipping_method: "express" }, lines)).not.toBe(key);
  expect(intentKey(order, [{ sku: "a", quantity: 2 }])).not.toBe(key);
});

test("once answered, the same order is meant anew", () => {
  const key = intentKey(order, lines);
  endIntent();
  expect(intentKey(order, lines)).not.toBe(key);
});

test("no address or e-mail is kept in the browser", () => {
  intentKey(order, lines);
  expect(JSON.stringify({ ...window.sessionStorage })).not.toMatch(/ada|hill|leeds/i);
});
