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

export function useSignOutEverywhere(onDone: () => void) {
  const forget = useForget();
  return useMutation({
    mutationFn: () => users.DELETE("/api/users/me/sessions"),
    // Only when the server has heard it: the point are the other devices.
    onSuccess: async () => {
      await forget();
      onDone();
    },
  });
}

/** `onDone` is called although the page that asked, which is for users only, is gone by then. */
export function useDeleteAccount(onDone: () => void) {
  const forget = useForget();
  return useMutation({
    mutationFn: (password: string) => users.DELETE("/api/users/me", { body: { password } }),
    onSuccess: async () => {
      await forget();
      onDone();
    },
  });
}
