import { infiniteQueryOptions } from "@tanstack/react-query";

import { dataOf, users } from "@/lib/api/client";

/** The mailbox of a shop that runs on a laptop; others answer 404. */
export const lettersOptions = () =>
  infiniteQueryOptions({
    queryKey: ["letters"],
    queryFn: ({ pageParam, signal }) =>
      dataOf(
        users.GET("/api/users/mailbox", {
          params: { query: { cursor: pageParam ?? undefined } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
    refetchInterval: 5_000,
  });
