import { screen } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { expect, test } from "vitest";

import { aCart } from "@/testing/builders";
import { resetCart } from "@/testing/handlers";
import { axeFaults, renderAt } from "@/testing/render";

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
