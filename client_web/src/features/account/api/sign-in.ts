import { useMutation, useQueryClient } from "@tanstack/react-query";

import { dataOf, users } from "@/lib/api/client";
import { sessionStore } from "@/lib/api/session";

import type { Credentials, NewAccount, Session } from "@/lib/api/types";

const signIn = (credentials: Credentials) =>
  dataOf(users.POST("/api/users/login", { body: credentials }));

/** Everything cached belongs to who was here before: the guest's cart has just been merged. */
function useStart() {
  const client = useQueryClient();
  return async (session: Session) => {
    sessionStore.start(session);
    client.removeQueries({ queryKey: ["orders"] });
    client.removeQueries({ queryKey: ["addresses"] });
    await client.invalidateQueries({ queryKey: ["cart"] });
  };
}

export function useSignIn() {
  const start = useStart();
  return useMutation({ mutationFn: signIn, onSuccess: start });
}

export function useSignUp() {
  const start = useStart();
  return useMutation({
    mutationFn: async (account: NewAccount) => {
      await users.POST("/api/users/register", { body: account });
      return signIn({ email: account.email, password: account.password });
    },
    onSuccess: start,
  });
}
