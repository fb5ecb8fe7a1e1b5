import { useSyncExternalStore } from "react";

import { sessionStore } from "@/lib/api/session";

import type { User } from "@/lib/api/types";

/** The signed-in user, or null. */
export function useUser(): User | null {
  return useSyncExternalStore(sessionStore.subscribe, () => sessionStore.get().user);
}
