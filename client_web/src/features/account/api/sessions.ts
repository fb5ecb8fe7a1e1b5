import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { dataOf, users } from "@/lib/api/client";

export const sessionsOptions = () =>
  queryOptions({
    queryKey: ["sessions"],
    queryFn: ({ signal }) => dataOf(users.GET("/api/users/me/sessions", { signal })),
    staleTime: 0,
  });

export function useEndSession() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (sessionId: string) =>
      users.DELETE("/api/users/me/sessions/{session_id}", {
        params: { path: { session_id: sessionId } },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: sessionsOptions().queryKey }),
  });
}
