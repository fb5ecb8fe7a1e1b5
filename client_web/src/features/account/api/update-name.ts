import { useMutation } from "@tanstack/react-query";

import { request } from "@/lib/api/client";
import { sessionStore } from "@/lib/api/session";

import type { User } from "@/lib/api/types";

export function useUpdateName() {
  return useMutation({
    mutationFn: (name: string) => request<User>("/users/me", { method: "PATCH", body: { name } }),
    onSuccess: (user) => {
      sessionStore.setUser(user);
    },
  });
}
