import { getConsent, identifiers } from "@/lib/analytics/consent";
import { sessionStore } from "@/lib/api/session";
import { ulid } from "@/lib/ulid";

export interface ShopperFacts {
  page_viewed: { path: string; referrer: string | null; device: string };
  product_viewed: { product_id: string; sku?: string | null };
  searched: { query: string; results_count: number };
  cart_changed: { sku: string; product_id: string; quantity: number };
  checkout_started: { item_count: number; total_minor: number; currency: string };
  order_completed: { order_id: string; total_minor: number; currency: string };
}

const URL_PATH = "/api/analytics/events";
const MAX_BATCH = 100;
const MAX_QUEUE = 500;
const FLUSH_MS = 2_000;

let queue: unknown[] = [];
let timer: ReturnType<typeof setTimeout> | null = null;

export const device = () => (window.matchMedia("(max-width: 48em)").matches ? "phone" : "desktop");

/** Notes a fact of the clickstream; sent in batches, never in the shopper's way. */
export function track<K extends keyof ShopperFacts>(fact: K, payload: ShopperFacts[K]): void {
  const customerId = sessionStore.get().user?.user_id;
  queue.push({
    event_type: `shopper.${fact}.v1`,
    event_id: ulid(),
    occurred_at: new Date().toISOString(),
    ...identifiers(),
    ...(customerId && getConsent() === "granted" ? { customer_id: customerId } : {}),
    payload,
  });
  // Bounded: if the edge is down for long, the oldest clicks go first.
  if (queue.length > MAX_QUEUE) queue = queue.slice(-MAX_QUEUE);
  timer ??= setTimeout(() => void flush(), FLUSH_MS);
}

/** Sends one batch. A failed one is kept: event ids make a repeat harmless. */
export async function flush(): Promise<void> {
  if (timer) clearTimeout(timer);
  timer = null;
  const batch = queue.splice(0, MAX_BATCH);
  if (batch.length === 0) return;
  let isKept = false;
  try {
    const response = await fetch(URL_PATH, {
      method: "POST",
      credentials: "include",
      keepalive: true,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ events: batch }),
    });
    isKept = response.status >= 500;
  } catch {
    isKept = true;
  }
  if (isKept) queue.unshift(...batch);
  if (queue.length > 0) timer ??= setTimeout(() => void flush(), isKept ? 5 * FLUSH_MS : FLUSH_MS);
}

/** The page is going away: what is left leaves by beacon. */
export function flushOnLeave(): () => void {
  const leave = () => {
    for (let batch = queue.splice(0, MAX_BATCH); batch.length > 0; batch = queue.splice(0, MAX_BATCH)) {
      const body = new Blob([JSON.stringify({ events: batch })], { type: "application/json" });
      navigator.sendBeacon(URL_PATH, body);
    }
  };
  window.addEventListener("pagehide", leave);
  return () => {
    window.removeEventListener("pagehide", leave);
  };
}
