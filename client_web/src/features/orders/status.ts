import type { Order, OrderStatus } from "@/lib/api/types";

export const STATUS_TEXT: Record<OrderStatus, string> = {
  placed: "Placed",
  paid: "Paid",
  packed: "Packed",
  shipped: "Shipped",
  delivered: "Delivered",
  payment_failed: "Payment failed",
  cancelled: "Cancelled",
  refunded: "Refunded",
};

export const HAPPY_PATH: OrderStatus[] = ["placed", "paid", "packed", "shipped", "delivered"];

/** Nothing will happen any more. */
export function isSettled(order: Pick<Order, "status">): boolean {
  return ["delivered", "payment_failed", "cancelled", "refunded"].includes(order.status);
}

export interface Step {
  status: OrderStatus;
  at: string | null;
  note: string | null;
  state: "done" | "current" | "ahead" | "failed";
  label: string;
}

const ENDINGS: OrderStatus[] = ["payment_failed", "cancelled", "refunded"];

/** What happened, then (if all goes well) what comes. */
export function steps(order: Pick<Order, "status" | "timeline">): Step[] {
  const past: Step[] = order.timeline.map((entry, index) => ({
    ...entry,
    state: ENDINGS.includes(entry.status) ? "failed" : "done",
    // Money back for a part of the goods leaves the order in its state.
    label:
      order.timeline[index - 1]?.status === entry.status ? "Partly refunded" : STATUS_TEXT[entry.status],
  }));
  const last = past.at(-1);
  if (!last || ENDINGS.includes(order.status)) return past;
  const ahead = HAPPY_PATH.slice(HAPPY_PATH.indexOf(order.status) + 1);
  if (ahead.length > 0) last.state = "current";
  const coming = ahead.map((status) => ({
    status,
    at: null,
    note: null,
    state: "ahead" as const,
    label: STATUS_TEXT[status],
  }));
  return [...past, ...coming];
}

const FAILURES: Record<string, string> = {
  declined: "Your bank declined the card.",
  card_declined: "Your bank declined the card.",
  insufficient_funds: "The card has insufficient funds.",
  timeout: "The payment provider did not answer in time.",
};

/** One sentence on where the order stands. */
export function headline(order: Order): { title: string; text: string } {
  switch (order.status) {
    case "placed":
      return { title: "Thank you, we have your order", text: "We are confirming the payment now. This page keeps itself up to date." };
    case "paid":
      return { title: "Payment confirmed", text: "We are getting your things together." };
    case "packed":
      return { title: "Packed and ready to go", text: "The courier picks it up next." };
    case "shipped":
      return { title: "On its way to you", text: "Your parcel has left us." };
    case "delivered":
      return { title: "Delivered", text: "Enjoy! We hope to see you again." };
    case "payment_failed":
      return {
        title: "The payment did not go through",
        text: `${FAILURES[order.payment.failure_code ?? ""] ?? "The card was not accepted."} You were not charged, and nothing will be sent.`,
      };
    case "cancelled":
      if (order.timeline.at(-1)?.note === "Not paid in time") {
        return {
          title: "This order has expired",
          text: "The payment did not come in time, so the things are on sale again. You were not charged.",
        };
      }
      return {
        title: "This order is cancelled",
        text: order.timeline.some((step) => step.status === "paid")
          ? "The charge was taken back: nothing stays on your card."
          : "You were not charged.",
      };
    case "refunded":
      return { title: "Refunded", text: "The money is going back to your card." };
  }
}
