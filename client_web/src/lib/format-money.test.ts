import { expect, test } from "vitest";

import { formatMoney } from "@/lib/format-money";

test.each([
  [{ amount_minor: 2899, currency: "GBP" }, "£28.99"],
  [{ amount_minor: 0, currency: "GBP" }, "£0.00"],
  [{ amount_minor: -5, currency: "GBP" }, "-£0.05"],
  [{ amount_minor: 123456789, currency: "EUR" }, "€1,234,567.89"],
  [{ amount_minor: 1500, currency: "JPY" }, "JP¥1,500"],
])("%o reads %s", (money, text) => {
  expect(formatMoney(money)).toBe(text);
});
