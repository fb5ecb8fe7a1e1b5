import { useMutation } from "@tanstack/react-query";

import { dataOf, users } from "@/lib/api/client";
import { sessionStore } from "@/lib/api/session";

export function useSendVerification() {
  return useMutation({ mutationFn: () => users.POST("/api/users/verification") });
}

export function useConfirmEmail() {
  return useMutation({
    mutationFn: async (code: string) => {
      await users.POST("/api/users/verification/confirm", { body: { code } });
      // It may be another's account that is signed in here, or nobody's.
      if (sessionStore.get().token) sessionStore.setUser(await dataOf(users.GET("/api/users/me")));
    },
  });
}
