import { getConsent, identifiers } from "@/lib/analytics/consent";
import { sessionStore } from "@/lib/api/session";
import { traceHeader } from "@/lib/api/trace";
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
const TOO_MANY = 429;
const FLUSH_MS = 2_000;

interface Noted {
  /** Of the page view in which it happened; what is sent together shares one. */
  trace: string;
  event: object;
}

let queue: Noted[] = [];
let timer: ReturnType<typeof setTimeout> | null = null;

export const device = () => (window.matchMedia("(max-width: 48em)").matches ? "phone" : "desktop");

/** Notes a fact of the clickstream; sent in batches, never in the shopper's way. */
export function track<K extends keyof ShopperFacts>(fact: K, payload: ShopperFacts[K]): void {
  const customerId = sessionStore.get().user?.user_id;
  queue.push({
    trace: traceHeader(),
    event: {
      event_type: `shopper.${fact}.v1`,
      event_id: ulid(),
      occurred_at: new Date().toISOString(),
      ...identifiers(),
      ...(customerId && getConsent() === "granted" ? { customer_id: customerId } : {}),
      payload,
    },
  });
  // Bounded: if the edge is down for long, the oldest clicks go first.
  if (queue.length > MAX_QUEUE) queue = queue.slice(-MAX_QUEUE);
  timer ??= setTimeout(() => void flush(), FLUSH_MS);
}

/** The oldest events of one page view, at most a request's worth. */
function takeBatch(): Noted[] {
  const trace = queue[0]?.trace;
  const end = queue.findIndex((noted) => noted.trace !== trace);
  return queue.splice(0, Math.min(end < 0 ? queue.length : end, MAX_BATCH));
}

/** `keepalive` lets it arrive when the page has gone, as a beacon would, which has no headers. */
function send(batch: readonly Noted[]): Promise<Response> {
  return fetch(URL_PATH, {
    method: "POST",
    credentials: "include",
    keepalive: true,
    headers: { "Content-Type": "application/json", "X-Amzn-Trace-Id": batch[0]?.trace ?? traceHeader() },
    body: JSON.stringify({ events: batch.map((noted) => noted.event) }),
  });
}

/** Sends what there is. A failed batch is kept: event ids make a repeat harmless. */
export async function flush(): Promise<void> {
  if (timer) clearTimeout(timer);
  timer = null;
  while (queue.length > 0) {
    const batch = takeBatch();
    const isTaken = await send(batch).then(
      (response) => response.status < 500 && response.status !== TOO_MANY,
      () => false,
    );
    if (isTaken) continue;
    queue.unshift(...batch);
    timer ??= setTimeout(() => void flush(), 5 * FLUSH_MS);
    return;
  }
}

/** The page is going away: what is left is sent, and nobody waits for the answer. */
export function flushOnLeave(): () => void {
  const leave = () => {
    while (queue.length > 0) send(takeBatch()).catch(() => undefined);
  };
  window.addEventListener("pagehide", leave);
  return () => {
    window.removeEventListener("pagehide", leave);
  };
}
