import { queryOptions } from "@tanstack/react-query";

import { catalog, dataOf } from "@/lib/api/client";

export const categoriesOptions = () =>
  queryOptions({
    queryKey: ["categories"],
    queryFn: ({ signal }) => dataOf(catalog.GET("/api/catalog/categories", { signal })),
    staleTime: 600_000,
  });
