import { zodResolver } from "@hookform/resolvers/zod";
import { Alert, Button, Group, Paper, SimpleGrid, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";

import { AddressFields } from "@/components/address-fields";
import { ErrorView } from "@/components/error-view";
import { addressesOptions, useRemoveAddress, useSaveAddress } from "@/features/account/api/addresses";
import { AddressSchema, EMPTY_ADDRESS, toAddress, toValues } from "@/lib/address-schema";
import { friendlyMessage } from "@/lib/api/problem";
import { countryName } from "@/lib/countries";
import { notify } from "@/lib/notices";

import type { AddressValues } from "@/lib/address-schema";
import type { SavedAddress } from "@/lib/api/types";

function AddressForm({ saved, onDone }: { saved?: SavedAddress; onDone: () => void }) {
  const save = useSaveAddress(saved?.address_id);
  const { register, handleSubmit, formState } = useForm<AddressValues>({
    resolver: zodResolver(AddressSchema),
    defaultValues: saved ? toValues(saved) : EMPTY_ADDRESS,
  });
  return (
    <form
      noValidate
      aria-label={saved ? `Address of ${saved.name}` : "New address"}
      onSubmit={(event) =>
        void handleSubmit((values) => {
          save.mutate(toAddress(values), { onSuccess: onDone });
        })(event)
      }
    >
      {save.isError && (
        <Alert color="red" role="alert" mb="sm">
          {friendlyMessage(save.error)}
        </Alert>
      )}
      <AddressFields field={register} errors={formState.errors} />
      <Group mt="md" gap="sm">
        <Button type="submit" loading={save.isPending}>
          Save address
        </Button>
        <Button variant="subtle" color="gray" c="var(--mantine-color-text)" onClick={onDone}>
          Cancel
        </Button>
      </Group>
    </form>
  );
}

function AddressCard({ address }: { address: SavedAddress }) {
  const remove = useRemoveAddress();
  const [isEdited, setEdited] = useState(false);
  const whose = `the address of ${address.name}, ${address.line1}`;
  if (isEdited) {
    return (
      <Paper withBorder p="md" radius="lg">
        <AddressForm
          saved={address}
          onDone={() => {
            setEdited(false);
          }}
        />
      </Paper>
    );
  }
  return (
    <Paper withBorder p="md" radius="lg">
      <Text fw={600}>{address.name}</Text>
      <Text size="sm" c="dimmed" mb="xs">
        {[address.line1, address.line2, address.city, address.postal_code, countryName(address.country)]
          .filter(Boolean)
          .join(", ")}
      </Text>
      <Group gap="xs">
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`Edit ${whose}`}
          onClick={() => {
            setEdited(true);
          }}
        >
          Edit
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          loading={remove.isPending}
          aria-label={`Remove ${whose}`}
          onClick={() => {
            remove.mutate(address.address_id, {
              onSuccess: () => {
                notify("Address removed.");
              },
              onError: (error) => {
                notify(friendlyMessage(error));
              },
            });
          }}
        >
          Remove
        </Button>
      </Group>
    </Paper>
  );
}

export function AddressBook() {
  const addresses = useQuery(addressesOptions());
  const [isAdding, setAdding] = useState(false);
  if (addresses.isPending) return <Skeleton height={110} radius="lg" />;
  if (addresses.isError) {
    return <ErrorView error={addresses.error} onRetry={() => void addresses.refetch()} />;
  }
  return (
    <Stack>
      {addresses.data.items.length === 0 && !isAdding && (
        <Text c="dimmed">No saved address yet. Save one, and checkout fills it in for you.</Text>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {addresses.data.items.map((address) => (
          <AddressCard key={address.address_id} address={address} />
        ))}
      </SimpleGrid>
      {isAdding ? (
        <AddressForm
          onDone={() => {
            setAdding(false);
          }}
        />
      ) : (
        <Button
          variant="default"
          w="fit-content"
          onClick={() => {
            setAdding(true);
          }}
        >
          Add an address
        </Button>
      )}
    </Stack>
  );
}
