import { z } from "zod";

import { AddressSchema, EMPTY_ADDRESS } from "@/lib/address-schema";

export const TEST_CARDS = [
  { value: "tok_visa", label: "Visa ending 4242", hint: "The payment succeeds" },
  { value: "tok_declined", label: "Visa ending 0002", hint: "The bank declines the card" },
  { value: "tok_insufficient_funds", label: "Visa ending 9995", hint: "Declined: insufficient funds" },
  { value: "tok_timeout", label: "Mastercard ending 0341", hint: "The first attempt times out, the next succeeds" },
  { value: "tok_flaky", label: "Mastercard ending 6975", hint: "The payment provider stumbles now and then" },
] as const;

export const SHIPPING_METHODS = [
  { value: "standard", label: "Standard", hint: "3 to 5 working days" },
  { value: "express", label: "Express", hint: "Next working day" },
] as const;

/** A signed-in shopper's e-mail is known already; a guest has to give one. */
export const checkoutSchema = (isGuest: boolean) =>
  z.object({
    email: isGuest ? z.email("Enter an e-mail address, like name@example.com") : z.string(),
    shipping_address: AddressSchema,
    shipping_method: z.enum(["standard", "express"]),
    card_token: z.enum(TEST_CARDS.map((card) => card.value)),
  });

export type CheckoutValues = z.infer<ReturnType<typeof checkoutSchema>>;

export const EMPTY_CHECKOUT: CheckoutValues = {
  email: "",
  shipping_address: EMPTY_ADDRESS,
  shipping_method: "standard",
  card_token: "tok_visa",
};
