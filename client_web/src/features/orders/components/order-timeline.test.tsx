import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";

import { OrderTimeline } from "@/features/orders/components/order-timeline";
import { isSettled } from "@/features/orders/status";
import { anOrder } from "@/testing/builders";
import { axeFaults, renderPart } from "@/testing/render";

import type { OrderStatus } from "@/lib/api/types";

const timeline = (...statuses: OrderStatus[]) =>
  statuses.map((status) => ({ status, at: "2026-03-01T10:00:00Z", note: null }));

const names = () => screen.getAllByRole("listitem").map((item) => within(item).getByText(/./, { selector: "b" }).textContent);

test("a paid order shows what happened and what comes", async () => {
  const { container } = renderPart(<OrderTimeline order={anOrder()} />);
  expect(names()).toEqual(["Placed", "Paid", "Packed", "Shipped", "Delivered"]);
  expect(screen.getAllByText("(still to come)")).toHaveLength(3);
  expect(await axeFaults(container)).toEqual([]);
});

test("a failed payment ends the line: nothing more is promised", () => {
  renderPart(<OrderTimeline order={{ status: "payment_failed", timeline: timeline("placed", "payment_failed") }} />);
  expect(names()).toEqual(["Placed", "Payment failed"]);
});

test("the page stops asking about an order that is settled", () => {
  expect(isSettled({ status: "cancelled" })).toBe(true);
  expect(isSettled({ status: "shipped" })).toBe(false);
});
