import createClient from "openapi-fetch";

import { problemFrom, unreachable } from "@/lib/api/problem";
import { refreshSession, sessionStore } from "@/lib/api/session";
import { traceHeader } from "@/lib/api/trace";
import { ulid } from "@/lib/ulid";

import type { paths as CatalogPaths } from "@/lib/api/schema/catalog";
import type { paths as CheckoutPaths } from "@/lib/api/schema/checkout";
import type { paths as UsersPaths } from "@/lib/api/schema/users";

const TIMEOUT_MS = 15_000;

async function send(request: Request, token: string | null): Promise<Response> {
  // A clone, as the body may have to be sent once more with a new token.
  const attempt = request.clone();
  if (token) attempt.headers.set("Authorization", `Bearer ${token}`);
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    return await fetch(attempt, { signal });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw unreachable();
  }
}

/** Every call: with the access token (renewed once if need be); what is not 2xx throws `Problem`. */
async function shopFetch(request: Request): Promise<Response> {
  const { token } = sessionStore.get();
  request.headers.set("X-Correlation-Id", ulid());
  request.headers.set("X-Amzn-Trace-Id", traceHeader());
  let response = await send(request, token);
  if (response.status === 401 && token !== null) {
    // Another call may have got the new token while this one was under way.
    const isNew = sessionStore.get().token !== token || (await refreshSession());
    if (isNew) response = await send(request, sessionStore.get().token);
  }
  if (!response.ok) throw await problemFrom(response);
  return response;
}

const options = {
  baseUrl: window.location.origin,
  credentials: "include",
  fetch: shopFetch,
} as const;

export const catalog = createClient<CatalogPaths>(options);
export const users = createClient<UsersPaths>(options);
export const checkout = createClient<CheckoutPaths>(options);

/** What a call answers with; a failed one has thrown before. */
export async function dataOf<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  return data as T;
}
