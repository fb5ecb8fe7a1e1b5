import { useMutation, useQueryClient } from "@tanstack/react-query";

import { request } from "@/lib/api/client";
import { sessionStore } from "@/lib/api/session";

import type { Session } from "@/lib/api/types";

export interface Credentials {
  email: string;
  password: string;
}

const signIn = (credentials: Credentials) =>
  request<Session>("/users/login", { method: "POST", body: credentials });

const register = (account: Credentials & { name: string }) =>
  request<unknown>("/users/register", { method: "POST", body: account });

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
    mutationFn: async (account: Credentials & { name: string }) => {
      await register(account);
      return signIn({ email: account.email, password: account.password });
    },
    onSuccess: start,
  });
}
