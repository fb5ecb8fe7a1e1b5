import { useMutation } from "@tanstack/react-query";

import { dataOf, users } from "@/lib/api/client";
import { sessionStore } from "@/lib/api/session";

export function useUpdateName() {
  return useMutation({
    mutationFn: (name: string) => dataOf(users.PATCH("/api/users/me", { body: { name } })),
    onSuccess: (user) => {
      sessionStore.setUser(user);
    },
  });
}
