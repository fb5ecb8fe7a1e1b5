import { http, HttpResponse } from "msw";
import { beforeEach, expect, test } from "vitest";

import { setConsent } from "@/lib/analytics/consent";
import { flush, track } from "@/lib/analytics/track";
import { server } from "@/testing/server";

interface Sent {
  events: { event_id: string; event_type: string; session_id: string | null; anonymous_id: string | null }[];
}

function collect(answer = 202): Sent[] {
  const sent: Sent[] = [];
  server.use(
    http.post("*/api/analytics/events", async ({ request }) => {
      sent.push((await request.json()) as Sent);
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
