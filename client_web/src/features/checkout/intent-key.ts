import { session } from "@/lib/storage";
import { ulid } from "@/lib/ulid";

import type { NewOrder } from "@/lib/api/types";

const STORE = "aa.order-intent";

/** cyrb53: only to notice that the order is another one, so that no address lands in storage. */
function digest(text: string): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
}

/**
 * The Idempotency-Key of one intent: the same order of the same goods keeps its key over clicks,
 * retries and reloads, so it is placed once; a changed order is a new intent with a new key.
 */
export function intentKey(order: NewOrder, lines: { sku: string; quantity: number }[]): string {
  const goods = lines.map(({ sku, quantity }) => [sku, quantity]);
  const intent = digest(JSON.stringify([order, goods]));
  const [storedIntent, storedKey] = session.get(STORE)?.split(" ") ?? [];
  if (storedIntent === intent && storedKey) return storedKey;
  const key = ulid();
  session.set(STORE, `${intent} ${key}`);
  return key;
}

/** The intent has its answer; the next order, even the very same one, is meant anew. */
export function endIntent(): void {
  session.remove(STORE);
}
