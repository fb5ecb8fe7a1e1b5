import { queryOptions } from "@tanstack/react-query";

import { request } from "@/lib/api/client";

import type { Category, Page } from "@/lib/api/types";

export const categoriesOptions = () =>
  queryOptions({
    queryKey: ["categories"],
    queryFn: ({ signal }) => request<Page<Category>>("/catalog/categories", { signal }),
    staleTime: 600_000,
  });
