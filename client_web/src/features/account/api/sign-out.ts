import { useMutation, useQueryClient } from "@tanstack/react-query";

import { users } from "@/lib/api/client";
import { sessionStore } from "@/lib/api/session";

const PRIVATE = ["orders", "order", "addresses", "sessions"];

/** Nothing of who was here stays in this browser. */
function useForget() {
  const client = useQueryClient();
  return async () => {
    sessionStore.end();
    client.removeQueries({ predicate: (query) => PRIVATE.includes(String(query.queryKey[0])) });
    await client.invalidateQueries({ queryKey: ["cart"] });
  };
}

export function useSignOut() {
  const forget = useForget();
  return useMutation({
    mutationFn: () => users.POST("/api/users/logout"),
    // Signed out here even if the server did not hear it: the token is gone from memory.
    onSettled: forget,
  });
}

/** `onDone` comes before the session ends here, as its page goes with it. */
export function useSignOutEverywhere(onDone: () => void) {
  const forget = useForget();
  return useMutation({
    mutationFn: () => users.DELETE("/api/users/me/sessions"),
    // Only when the server has heard it: the point are the other devices.
    onSuccess: async () => {
      onDone();
      await forget();
    },
  });
}

export function useDeleteAccount(onDone: () => Promise<void>) {
  const forget = useForget();
  return useMutation({
    mutationFn: (password: string) => users.DELETE("/api/users/me", { body: { password } }),
    onSuccess: async () => {
      await onDone();
      await forget();
    },
  });
}
