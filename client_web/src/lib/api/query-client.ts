import { QueryClient } from "@tanstack/react-query";

import { Problem } from "@/lib/api/problem";

const retry = (failures: number, error: Error) =>
  error instanceof Problem && error.isRetryable && failures < 2;

export function buildQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      // "always": offline is then an error with words, not a skeleton for ever.
      queries: { staleTime: 30_000, retry, networkMode: "always", refetchOnWindowFocus: false },
      mutations: { networkMode: "always" },
    },
  });
}
