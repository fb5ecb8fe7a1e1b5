import { http, HttpResponse } from "msw";
import { beforeEach, expect, test, vi } from "vitest";

import { setConsent } from "@/lib/analytics/consent";
import { flush, flushOnLeave, track } from "@/lib/analytics/track";
import { traceHeader } from "@/lib/api/trace";
import { server } from "@/testing/server";

interface Sent {
  trace: string | null;
  events: { event_id: string; event_type: string; session_id: string | null; anonymous_id: string | null }[];
}

function collect(answer = 202): Sent[] {
  const sent: Sent[] = [];
  server.use(
    http.post("*/api/analytics/events", async ({ request }) => {
      const body = (await request.json()) as Pick<Sent, "events">;
      sent.push({ ...body, trace: request.headers.get("X-Amzn-Trace-Id") });
      return new HttpResponse(null, { status: answer });
    }),
  );
  return sent;
}

beforeEach(async () => {
  collect();
  await flush();
});

test("without consent no identifier is made or sent", async () => {
  const sent = collect();
  track("product_viewed", { product_id: "p-1" });
  await flush();
  expect(sent[0]?.events[0]).toMatchObject({
    event_type: "shopper.product_viewed.v1",
    session_id: null,
    anonymous_id: null,
  });
  expect(window.localStorage.length + window.sessionStorage.length).toBe(0);
});

test("with consent the identifiers stay the same, and go when consent is taken back", async () => {
  const sent = collect();
  setConsent("granted");
  track("searched", { query: "boots", results_count: 3 });
  track("searched", { query: "boot", results_count: 4 });
  await flush();
  const [first, second] = sent[0]?.events ?? [];
  expect(first?.session_id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  expect(second?.anonymous_id).toBe(first?.anonymous_id);
  setConsent("denied");
  expect(Object.keys(window.localStorage)).toEqual(["aa.consent"]);
});

test("a batch the server could not take is sent again, with the same event ids", async () => {
  const failed = collect(503);
  track("product_viewed", { product_id: "p-2" });
  await flush();
  const sent = collect();
  await flush();
  expect(sent[0]?.events[0]?.event_id).toBe(failed[0]?.events[0]?.event_id);
});

test("events join the trace of the page view in which they happened", async () => {
  const sent = collect();
  window.history.pushState(null, "", "/products");
  track("searched", { query: "boots", results_count: 3 });
  track("product_viewed", { product_id: "p-3" });
  const products = traceHeader();
  window.history.pushState(null, "", "/cart");
  track("cart_changed", { sku: "s-3", product_id: "p-3", quantity: 1 });
  await flush();
  expect(sent.map(({ trace, events }) => [trace, events.length])).toEqual([
    [products, 2],
    [traceHeader(), 1],
  ]);
  expect(products).not.toBe(traceHeader());
});

test("what is left when the page goes is sent, with its trace", async () => {
  const sent = collect();
  const stop = flushOnLeave();
  track("product_viewed", { product_id: "p-4" });
  window.dispatchEvent(new Event("pagehide"));
  await vi.waitFor(() => {
    expect(sent).toHaveLength(1);
  });
  stop();
  expect(sent[0]?.trace).toBe(traceHeader());
});
