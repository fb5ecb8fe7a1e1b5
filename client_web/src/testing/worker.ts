import { setupWorker } from "msw/browser";

import { handlers } from "@/testing/handlers";

/** `npm run dev:mock`: the shop without a backend. */
export async function startMockWorker(): Promise<void> {
  await setupWorker(...handlers).start({ onUnhandledFrame: "bypass", quiet: true });
}
