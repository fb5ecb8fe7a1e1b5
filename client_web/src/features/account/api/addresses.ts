import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { request } from "@/lib/api/client";

import type { Address, Page, SavedAddress } from "@/lib/api/types";

export const addressesOptions = () =>
  queryOptions({
    queryKey: ["addresses"],
    queryFn: ({ signal }) => request<Page<SavedAddress>>("/users/me/addresses", { signal }),
  });

export function useAddAddress() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (address: Address) =>
      request<SavedAddress>("/users/me/addresses", { method: "POST", body: address }),
    onSuccess: () => client.invalidateQueries({ queryKey: addressesOptions().queryKey }),
  });
}

export function useRemoveAddress() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (addressId: string) =>
      request(`/users/me/addresses/${encodeURIComponent(addressId)}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: addressesOptions().queryKey }),
  });
}
