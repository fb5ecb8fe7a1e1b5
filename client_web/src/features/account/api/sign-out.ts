import { useMutation, useQueryClient } from "@tanstack/react-query";

import { users } from "@/lib/api/client";
import { sessionStore } from "@/lib/api/session";

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => users.POST("/api/users/logout"),
    // Signed out here even if the server did not hear it: the token is gone from memory.
    onSettled: async () => {
      sessionStore.end();
      client.removeQueries({ predicate: (query) => ["orders", "order", "addresses"].includes(String(query.queryKey[0])) });
      await client.invalidateQueries({ queryKey: ["cart"] });
    },
  });
}
