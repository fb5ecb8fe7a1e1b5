import { local } from "@/lib/storage";

import type { Session, User } from "@/lib/api/types";

/**
 * Who is signed in. The access token lives here, in memory, and nowhere else; a reload gets a new
 * one for the HttpOnly refresh cookie.
 */
interface State {
  token: string | null;
  user: User | null;
}

/** Set while somebody is signed in on this browser, so that guests cost no refresh call. */
const HINT = "aa.signed-in";

let state: State = { token: null, user: null };
let refreshing: Promise<boolean> | null = null;
const listeners = new Set<() => void>();

function change(next: State): void {
  state = next;
  listeners.forEach((listener) => {
    listener();
  });
}

export const sessionStore = {
  get: (): State => state,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  mayResume: (): boolean => state.user !== null || local.get(HINT) !== null,
  start(session: Session): void {
    local.set(HINT, "1");
    change({ token: session.access_token, user: session.user });
  },
  setUser(user: User): void {
    change({ ...state, user });
  },
  end(): void {
    local.remove(HINT);
    change({ token: null, user: null });
  },
};

/** Tabs share one refresh cookie, and using a rotated one revokes the family: so one tab at a time. */
async function oneTabAtATime(work: () => Promise<boolean>): Promise<boolean> {
  // Plain http beyond localhost has no locks, whatever the types say.
  const locks = navigator.locks as LockManager | null | undefined;
  return locks ? await locks.request("aa.refresh", work) : await work();
}

const BUSY_MS = 300;

async function refresh(attempt = 1): Promise<boolean> {
  const response = await fetch("/api/users/refresh", {
    method: "POST",
    credentials: "include",
    signal: AbortSignal.timeout(10_000),
  });
  if (response.ok) {
    sessionStore.start((await response.json()) as Session);
    return true;
  }
  // 409: a request elsewhere is refreshing this very session, and has by then set the next cookie.
  if (response.status === 409 && attempt < 3) {
    await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    return refresh(attempt + 1);
  }
  // Only a clear "no" signs out; an outage must not.
  if (response.status === 401 || response.status === 403) sessionStore.end();
  return false;
}

/** Trades the refresh cookie for an access token; callers at the same time share one call. */
export function refreshSession(): Promise<boolean> {
  refreshing ??= oneTabAtATime(() => refresh())
    .catch(() => false)
    .finally(() => {
      refreshing = null;
    });
  return refreshing;
}
