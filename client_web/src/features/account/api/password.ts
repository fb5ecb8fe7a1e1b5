import { useMutation, useQueryClient } from "@tanstack/react-query";

import { sessionsOptions } from "@/features/account/api/sessions";
import { dataOf, users } from "@/lib/api/client";
import { sessionStore } from "@/lib/api/session";

import type { PasswordChange, PasswordReset } from "@/lib/api/types";

/** Every other session ends, and this one goes on with the token of the answer. */
export function useChangePassword() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: PasswordChange) =>
      dataOf(users.POST("/api/users/me/password", { body: change })),
    onSuccess: async (session) => {
      sessionStore.start(session);
      await client.invalidateQueries({ queryKey: sessionsOptions().queryKey });
    },
  });
}

export function useAskForReset() {
  return useMutation({
    mutationFn: (email: string) => users.POST("/api/users/password-reset", { body: { email } }),
  });
}

export function useResetPassword() {
  return useMutation({
    mutationFn: (reset: PasswordReset) =>
      users.POST("/api/users/password-reset/confirm", { body: reset }),
    // Whoever was signed in here is so no more: every session of the account has ended.
    onSuccess: () => {
      sessionStore.end();
    },
  });
}
