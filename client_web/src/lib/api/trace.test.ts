import { expect, test } from "vitest";

import { traceHeader } from "@/lib/api/trace";

const NOW = 1_764_000_000_000;

test("calls of one page view are one trace, and the next page starts another", () => {
  const first = traceHeader(NOW, "/products");
  expect(first).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Sampled=\?$/);
  expect(traceHeader(NOW + 5_000, "/products")).toBe(first);
  const cart = traceHeader(NOW + 6_000, "/cart");
  expect(cart).not.toBe(first);
  expect(traceHeader(NOW + 60_000, "/cart")).not.toBe(cart);
});
