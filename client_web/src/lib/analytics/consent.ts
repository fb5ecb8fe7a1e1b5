import { useSyncExternalStore } from "react";

import { local, session } from "@/lib/storage";
import { ulid } from "@/lib/ulid";

export type Consent = "granted" | "denied" | null;

const CONSENT = "aa.consent";
const ANONYMOUS = "aa.anonymous-id";
const SESSION = "aa.session-id";
const listeners = new Set<() => void>();

export function getConsent(): Consent {
  const value = local.get(CONSENT);
  return value === "granted" || value === "denied" ? value : null;
}

export function setConsent(value: "granted" | "denied"): void {
  local.set(CONSENT, value);
  if (value === "denied") {
    local.remove(ANONYMOUS);
    session.remove(SESSION);
  }
  listeners.forEach((listener) => {
    listener();
  });
}

export function useConsent(): Consent {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, getConsent);
}

function kept(storage: typeof local, key: string): string {
  const found = storage.get(key);
  if (found) return found;
  const made = ulid();
  storage.set(key, made);
  return made;
}

/** Identifiers exist only with consent; without it, nothing is made, kept or sent. */
export function identifiers(): { anonymous_id: string | null; session_id: string | null } {
  if (getConsent() !== "granted") return { anonymous_id: null, session_id: null };
  return { anonymous_id: kept(local, ANONYMOUS), session_id: kept(session, SESSION) };
}
