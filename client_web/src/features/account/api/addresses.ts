import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { dataOf, users } from "@/lib/api/client";

import type { Address } from "@/lib/api/types";

export const addressesOptions = () =>
  queryOptions({
    queryKey: ["addresses"],
    queryFn: ({ signal }) => dataOf(users.GET("/api/users/me/addresses", { signal })),
  });

/** Adds an address, or changes the one of this id. */
export function useSaveAddress(addressId?: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (address: Address) =>
      dataOf(
        addressId === undefined
          ? users.POST("/api/users/me/addresses", { body: address })
          : users.PUT("/api/users/me/addresses/{address_id}", {
              params: { path: { address_id: addressId } },
              body: address,
            }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: addressesOptions().queryKey }),
  });
}

export function useRemoveAddress() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (addressId: string) =>
      users.DELETE("/api/users/me/addresses/{address_id}", {
        params: { path: { address_id: addressId } },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: addressesOptions().queryKey }),
  });
}
