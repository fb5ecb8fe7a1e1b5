import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { request } from "@/lib/api/client";

import type { Suggestion } from "@/lib/api/types";

export const suggestionsOptions = (q: string) =>
  queryOptions({
    queryKey: ["suggestions", q],
    queryFn: ({ signal }) =>
      request<{ items: Suggestion[] }>("/catalog/suggest", { query: { q }, signal }),
    enabled: q.length >= 2,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  });
