import { screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test, vi } from "vitest";

import { aCart, aProduct } from "@/testing/builders";
import { resetCart } from "@/testing/handlers";
import { axeFaults, renderAt } from "@/testing/render";
import { server } from "@/testing/server";

test("a product whose stock cannot be read is shown all the same, until it can", async () => {
  let reads = 0;
  server.use(
    http.get("*/api/catalog/products/p-1", () => {
      reads += 1;
      const product = aProduct({ product_id: "p-1" });
      return HttpResponse.json(reads === 1 ? { ...product, variants: [] } : product);
    }),
  );
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const { container } = renderAt("/products/p-1");
  expect(await screen.findByText(/cannot look into our stock/)).toBeDefined();
  expect(screen.queryByRole("button", { name: "Add to cart" })).toBeNull();
  expect(screen.queryByText("Sold out")).toBeNull();
  expect(await axeFaults(container)).toEqual([]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await screen.findByRole("button", { name: "Add to cart" })).toBeDefined();
  vi.useRealTimers();
});

test("a shopper chooses a variant, sees its price and stock, and puts it in the cart", async () => {
  resetCart(aCart([]));
  const user = userEvent.setup();
  const { container } = renderAt("/products/p-1");
  const add = await screen.findByRole("button", { name: "Add to cart" });
  await screen.findByRole("link", { name: "Cart, empty" });

  await user.click(add);
  expect(screen.getByText("Please choose a size.")).toBeDefined();

  expect(screen.getByRole<HTMLInputElement>("radio", { name: "S (sold out)" }).disabled).toBe(true);
  await user.click(screen.getByRole("radio", { name: "M" }));
  expect(screen.getByText("Only 3 left")).toBeDefined();

  await user.click(screen.getByRole("radio", { name: "Navy" }));
  await user.click(screen.getByRole("radio", { name: "S" }));
  expect(screen.getByText("£54.99")).toBeDefined();

  await user.click(screen.getByRole("button", { name: "Add to cart" }));
  expect(await screen.findByText("Added to cart: Summit Jacket")).toBeDefined();
  expect(screen.getByRole("link", { name: "Cart, 1 item" })).toBeDefined();
  expect(await axeFaults(container)).toEqual([]);
});
