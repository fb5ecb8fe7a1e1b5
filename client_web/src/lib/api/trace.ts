const VIEW_MS = 30_000;

let root = "";
let path = "";
let startedAt = 0;

const hex = (bytes: number) =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * The header that starts a trace: calls of one page view share it, for half a minute at most.
 * Whether it is kept is the shop's choice (`Sampled=?`); the format is AWS X-Ray's.
 */
export function traceHeader(nowMs: number = Date.now(), at: string = window.location.pathname): string {
  if (!root || at !== path || nowMs - startedAt > VIEW_MS) {
    path = at;
    startedAt = nowMs;
    root = `1-${Math.floor(nowMs / 1000).toString(16).padStart(8, "0")}-${hex(12)}`;
  }
  return `Root=${root};Sampled=?`;
}
