import { problemFrom, unreachable } from "@/lib/api/problem";
import { refreshSession, sessionStore } from "@/lib/api/session";
import { ulid } from "@/lib/ulid";

type Query = Record<string, string | number | boolean | null | undefined>;

interface Options {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  cache?: RequestCache;
  signal?: AbortSignal;
}

const TIMEOUT_MS = 15_000;

function urlOf(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return `/api${path}${text ? `?${text}` : ""}`;
}

async function send(path: string, options: Options, correlationId: string): Promise<Response> {
  const { token } = sessionStore.get();
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await fetch(urlOf(path, options.query), {
      method: options.method ?? "GET",
      credentials: "include",
      cache: options.cache,
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
      headers: {
        Accept: "application/json",
        "X-Correlation-Id": correlationId,
        ...(options.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...options.headers,
      },
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw unreachable();
  }
}

/** One request to the API; answers JSON (or nothing, for 204), throws `Problem`. */
export async function request<T>(path: string, options: Options = {}): Promise<T> {
  const correlationId = ulid();
  const { token } = sessionStore.get();
  let response = await send(path, options, correlationId);
  if (response.status === 401 && token !== null) {
    // Another call may have got the new token while this one was under way.
    const isNew = sessionStore.get().token !== token || (await refreshSession());
    if (isNew) response = await send(path, options, correlationId);
  }
  if (!response.ok) throw await problemFrom(response);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}
