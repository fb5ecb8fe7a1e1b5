import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

import { aProductPage } from "@/testing/builders";
import { axeFaults, renderAt } from "@/testing/render";
import { server } from "@/testing/server";

test("the address bar is the filter, and each filter can be dropped", async () => {
  let asked = new URLSearchParams();
  server.use(
    http.get("*/api/catalog/products", ({ request }) => {
      asked = new URL(request.url).searchParams;
      return HttpResponse.json(aProductPage());
    }),
  );
  const { container } = renderAt("/products?q=jacket&category=Clothing&min_price=2500&max_price=x&sort=rating");
  await screen.findByRole("link", { name: "Summit Jacket" });
  expect(Object.fromEntries(asked)).toEqual({
    q: "jacket", category: "Clothing", min_price: "2500", sort: "rating", page_size: "24",
  });
  const drop = screen.getByRole("link", { name: "Remove filter Clothing" });
  expect(drop.getAttribute("href")).not.toContain("category");
  expect(await axeFaults(container)).toEqual([]);
});

test("options are chosen by a click, several of one, and dropped again", async () => {
  let asked: string[] = [];
  server.use(
    http.get("*/api/catalog/products", ({ request }) => {
      asked = new URL(request.url).searchParams.getAll("option");
      return HttpResponse.json(aProductPage());
    }),
  );
  const user = userEvent.setup();
  renderAt("/products?option=colour:navy");
  await user.click(await screen.findByRole("link", { name: /^black/ }));
  await waitFor(() => {
    expect(asked).toEqual(["colour:navy", "colour:black"]);
  });
  await user.click(screen.getByRole("link", { name: "Remove filter colour: navy" }));
  await waitFor(() => {
    expect(asked).toEqual(["colour:black"]);
  });
});

test("a search that finds nothing leads on", async () => {
  server.use(
    http.get("*/api/catalog/products", () =>
      HttpResponse.json({
        ...aProductPage(),
        items: [],
        total: 0,
        suggestions: [{ text: "Clothing > Dresses", kind: "category", product_id: null }],
      }),
    ),
  );
  renderAt("/products?q=qwertz");
  const on = await screen.findByRole("link", { name: "Dresses" });
  expect(on.getAttribute("href")).toBe("/products?category=Clothing+%3E+Dresses");
});

test("when the edge is down the shopper gets words, a reference and a way to try again", async () => {
  server.use(
    http.get("*/api/catalog/products", () =>
      HttpResponse.json(
        { type: "/problems/unavailable", title: "x", detail: "Traceback", status: 503, correlation_id: "c-42" },
        { status: 500 },
      ),
    ),
  );
  renderAt("/products");
  expect(await screen.findByText("The shop is having a moment. Please try again shortly.")).toBeDefined();
  expect(screen.getByText("c-42")).toBeDefined();
  expect(screen.getByRole("button", { name: "Try again" })).toBeDefined();
  expect(screen.queryByText(/Traceback/)).toBeNull();
});
