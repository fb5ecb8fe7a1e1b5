import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { catalog, dataOf } from "@/lib/api/client";

export const suggestionsOptions = (q: string) =>
  queryOptions({
    queryKey: ["suggestions", q],
    queryFn: ({ signal }) =>
      dataOf(catalog.GET("/api/catalog/suggest", { params: { query: { q } }, signal })),
    enabled: q.length >= 2,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  });
