import { screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

import { aCart, withPromotion } from "@/testing/builders";
import { resetCart } from "@/testing/handlers";
import { axeFaults, renderAt } from "@/testing/render";
import { server } from "@/testing/server";

test("editing a line changes the quote, and removing the last one empties the cart", async () => {
  resetCart(aCart([{}]));
  const user = userEvent.setup();
  const { container } = renderAt("/cart");
  await screen.findByText("£53.94");
  expect(await axeFaults(container)).toEqual([]);

  await user.click(screen.getByRole("button", { name: "One more Summit Jacket" }));
  expect(await screen.findByText("£103.93")).toBeDefined();

  await user.click(screen.getByRole("button", { name: "Remove Summit Jacket" }));
  expect(await screen.findByText("Your cart is empty")).toBeDefined();
});

test("a code lowers the total until it is removed", async () => {
  resetCart(aCart([{}]));
  const user = userEvent.setup();
  const { container } = renderAt("/cart");
  await user.type(await screen.findByLabelText("Promotion code"), "spring");
  await user.click(screen.getByRole("button", { name: "Apply" }));

  expect(await screen.findByText("£43.94")).toBeDefined();
  expect(screen.getByText("Discount (SPRING)")).toBeDefined();
  expect(await axeFaults(container)).toEqual([]);

  await user.click(screen.getByRole("button", { name: "Remove code SPRING" }));
  expect(await screen.findByText("£53.94")).toBeDefined();
});

test("a code that gives nothing says why", async () => {
  const why = { state: "used_up", detail: "It was used as often as it can be" } as const;
  resetCart(withPromotion(aCart([{}]), "GONE", why));
  renderAt("/cart");
  expect(await screen.findByText(/It was used as often as it can be/)).toBeDefined();
  expect(screen.getByText("£53.94")).toBeDefined();
});

test("an unknown code is refused at the field", async () => {
  resetCart(aCart([{}]));
  server.use(
    http.put("*/api/checkout/cart/promotion", () =>
      HttpResponse.json(
        { type: "/problems/unprocessable", title: "A field is not valid", status: 422, detail: "There is no such code" },
        { status: 422 },
      ),
    ),
  );
  const user = userEvent.setup();
  renderAt("/cart");
  await user.type(await screen.findByLabelText("Promotion code"), "nothing{Enter}");
  expect(await screen.findByText("There is no such code")).toBeDefined();
});

test("a line is saved for later and comes back", async () => {
  resetCart(aCart([{}, { sku: "sku-2", title: "Wool Hat" }]));
  const user = userEvent.setup();
  const { container } = renderAt("/cart");
  await user.click(await screen.findByRole("button", { name: "Save Wool Hat for later" }));

  await screen.findByRole("heading", { name: "Saved for later" });
  expect(screen.queryByRole("button", { name: "Remove Wool Hat" })).toBeNull();
  expect(await axeFaults(container)).toEqual([]);

  await user.click(screen.getByRole("button", { name: "Move Wool Hat to the cart" }));
  expect(await screen.findByRole("button", { name: "Remove Wool Hat" })).toBeDefined();
});
