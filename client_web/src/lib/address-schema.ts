import { z } from "zod";

import type { Address } from "@/lib/api/types";

const required = (what: string, max: number) => z.string().trim().min(1, `Enter ${what}`).max(max);

/** Postal codes differ by country; the shop only insists on the British form for Britain. */
const UK_POSTCODE = /^[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$/i;

export const AddressSchema = z
  .object({
    name: required("the full name", 100),
    line1: required("the street and number", 200),
    line2: z.string().trim().max(200),
    city: required("the town or city", 100),
    postal_code: required("the postcode", 20),
    country: z.string().length(2),
  })
  .refine((address) => address.country !== "GB" || UK_POSTCODE.test(address.postal_code), {
    path: ["postal_code"],
    message: "Enter a UK postcode, like SW1A 1AA",
    when: ({ value }) => (value as { postal_code?: string } | undefined)?.postal_code !== "",
  });

export type AddressValues = z.infer<typeof AddressSchema>;

/** The form's values as the API takes them: an empty second line is no line. */
export function toAddress({ line2, postal_code, ...rest }: AddressValues): Address {
  return { ...rest, postal_code: postal_code.toUpperCase(), ...(line2 ? { line2 } : {}) };
}

/** A saved address as the form's values. */
export function toValues({ name, line1, line2, city, postal_code, country }: Address): AddressValues {
  return { name, line1, line2: line2 ?? "", city, postal_code, country };
}

export const EMPTY_ADDRESS: AddressValues = {
  name: "",
  line1: "",
  line2: "",
  city: "",
  postal_code: "",
  country: "GB",
};
