import { screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

import { aCart, anOrder, withPromotion } from "@/testing/builders";
import { resetCart } from "@/testing/handlers";
import { axeFaults, renderAt } from "@/testing/render";
import { server } from "@/testing/server";

const PLACE = { name: /^Place order/ };

async function fillIn(user: ReturnType<typeof userEvent.setup>) {
  await user.type(screen.getByLabelText("E-mail"), "ada@example.com");
  await user.type(screen.getByLabelText("Full name"), "Ada Lovelace");
  await user.type(screen.getByLabelText("Street and number"), "12 Hill Road");
  await user.type(screen.getByLabelText("Town or city"), "Leeds");
  await user.type(screen.getByLabelText("Postcode"), "LS1 1AA");
}

test("an empty form says what is missing and sends nothing", async () => {
  resetCart(aCart([{}]));
  const user = userEvent.setup();
  const { container } = renderAt("/checkout");
  await user.click(await screen.findByRole("button", PLACE));
  expect(await screen.findByText("Enter the street and number")).toBeDefined();
  expect(document.activeElement).toBe(screen.getByLabelText("E-mail"));
  expect(await axeFaults(container)).toEqual([]);
});

test("out of stock is told by line, and the adjusted cart is a new intent with a new key", async () => {
  resetCart(aCart([{ quantity: 3 }]));
  const keys: (string | null)[] = [];
  server.use(
    http.post("*/api/checkout/orders", ({ request }) => {
      keys.push(request.headers.get("Idempotency-Key"));
      if (keys.length === 1) {
        return HttpResponse.json(
          {
            type: "/problems/out-of-stock",
            title: "Out of stock",
            status: 409,
            lines: [{ sku: "sku-black-M", requested: 3, available: 2 }],
          },
          { status: 409 },
        );
      }
      return HttpResponse.json(anOrder({ status: "placed" }), { status: 201 });
    }),
  );
  const user = userEvent.setup();
  const { router } = renderAt("/checkout");
  await screen.findByRole("button", PLACE);
  await fillIn(user);
  await user.click(screen.getByRole("button", PLACE));

  expect(await screen.findByText(/only 2 left, you asked for 3/)).toBeDefined();
  await user.click(screen.getByRole("button", { name: "Update my cart" }));
  await user.click(await screen.findByRole("button", { name: "Place order · £103.93" }));

  await screen.findByRole("heading", { name: "Payment confirmed" });
  expect(router.state.location.pathname).toBe("/orders/o-1");
  expect(keys).toHaveLength(2);
  expect(keys[0]).not.toBe(keys[1]);
});

test("an answer lost on the way is asked for again with the same key", async () => {
  resetCart(aCart([{}]));
  const keys: (string | null)[] = [];
  server.use(
    http.post("*/api/checkout/orders", ({ request }) => {
      keys.push(request.headers.get("Idempotency-Key"));
      return keys.length === 1
        ? new HttpResponse(null, { status: 503 })
        : HttpResponse.json(anOrder({ status: "placed" }), { status: 201 });
    }),
  );
  const user = userEvent.setup();
  renderAt("/checkout");
  await screen.findByRole("button", PLACE);
  await fillIn(user);
  await user.click(screen.getByRole("button", PLACE));
  await screen.findByRole("heading", { name: "Payment confirmed" });
  expect(keys).toHaveLength(2);
  expect(keys[0]).toMatch(/^[0-9A-Z]{26}$/);
  expect(keys[0]).toBe(keys[1]);
});

test("a code that ended meanwhile is named, and the order goes on without it", async () => {
  resetCart(withPromotion(aCart([{}]), "SPRING"));
  let attempts = 0;
  server.use(
    http.post("*/api/checkout/orders", () => {
      attempts += 1;
      return attempts > 1
        ? HttpResponse.json(anOrder({ status: "placed" }), { status: 201 })
        : HttpResponse.json(
            {
              type: "/problems/promotion-ended",
              title: "The promotion code cannot be used",
              status: 409,
              detail: "SPRING: It has ended",
              code: "SPRING",
            },
            { status: 409 },
          );
    }),
  );
  const user = userEvent.setup();
  renderAt("/checkout");
  await screen.findByRole("button", PLACE);
  await fillIn(user);
  await user.click(screen.getByRole("button", PLACE));

  await user.click(await screen.findByRole("button", { name: "Go on without SPRING" }));
  await user.click(await screen.findByRole("button", { name: "Place order · £53.94" }));
  await screen.findByRole("heading", { name: "Payment confirmed" });
});
