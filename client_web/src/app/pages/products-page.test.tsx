import { screen } from "@testing-library/react";
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
