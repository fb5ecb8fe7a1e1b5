import { NativeSelect, SimpleGrid, Stack, TextInput } from "@mantine/core";

import { COUNTRIES } from "@/lib/countries";

import type { AddressValues } from "@/lib/address-schema";
import type { FieldErrors, UseFormRegisterReturn } from "react-hook-form";

interface Props {
  field: (name: keyof AddressValues) => UseFormRegisterReturn;
  errors: FieldErrors<AddressValues> | undefined;
}

export function AddressFields({ field, errors }: Props) {
  return (
    <Stack gap="sm">
      <TextInput size="md" label="Full name" autoComplete="name" error={errors?.name?.message} {...field("name")} />
      <TextInput
        size="md"
        label="Street and number"
        autoComplete="address-line1"
        error={errors?.line1?.message}
        {...field("line1")}
      />
      <TextInput
        size="md"
        label="Flat, building (optional)"
        autoComplete="address-line2"
        error={errors?.line2?.message}
        {...field("line2")}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" verticalSpacing="sm">
        <TextInput
          size="md"
          label="Town or city"
          autoComplete="address-level2"
          error={errors?.city?.message}
          {...field("city")}
        />
        <TextInput
          size="md"
          label="Postcode"
          autoComplete="postal-code"
          error={errors?.postal_code?.message}
          {...field("postal_code")}
        />
      </SimpleGrid>
      <NativeSelect
        size="md"
        label="Country"
        autoComplete="country"
        data={[...COUNTRIES]}
        error={errors?.country?.message}
        {...field("country")}
      />
    </Stack>
  );
}
