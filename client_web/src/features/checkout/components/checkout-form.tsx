import { zodResolver } from "@hookform/resolvers/zod";
import { Alert, Button, NativeSelect, Text, TextInput, Title } from "@mantine/core";
import IconFlask from "@tabler/icons-react/icons/IconFlask";
import { useEffect } from "react";
import { useForm, useWatch } from "react-hook-form";

import { AddressFields } from "@/components/address-fields";
import { ChoiceCards } from "@/components/choice-cards";
import { usePlaceOrder } from "@/features/checkout/api/place-order";
import {
  checkoutSchema,
  EMPTY_CHECKOUT,
  SHIPPING_METHODS,
  TEST_CARDS,
} from "@/features/checkout/checkout-schema";
import { OrderConflict } from "@/features/checkout/components/order-conflict";
import { toAddress, toValues } from "@/lib/address-schema";
import { friendlyMessage, Problem } from "@/lib/api/problem";
import { formatMoney } from "@/lib/format-money";

import type { CheckoutValues } from "@/features/checkout/checkout-schema";
import type {
  Cart,
  NewOrder,
  PlacedOrder,
  SavedAddress,
  ShippingMethod,
  ShortLine,
  User,
} from "@/lib/api/types";
import type { ReactNode } from "react";

import classes from "@/features/checkout/components/checkout-form.module.css";

interface Props {
  cart: Cart;
  /** True while the shown quote belongs to an earlier country or method. */
  isQuoteStale: boolean;
  user: User | null;
  addresses: SavedAddress[];
  summary: (action: ReactNode) => ReactNode;
  isAdjusting: boolean;
  onQuoteChange: (quoteFor: { country: string; shipping_method: ShippingMethod }) => void;
  onAdjust: (lines: ShortLine[]) => void;
  onDropPromotion: () => void;
  onPlaced: (order: PlacedOrder) => void;
}

function orderFrom(values: CheckoutValues, cart: Cart, isGuest: boolean): NewOrder {
  return {
    ...(isGuest ? { email: values.email } : {}),
    shipping_address: toAddress(values.shipping_address),
    shipping_method: values.shipping_method,
    payment: { card_token: values.card_token },
    expected_total: cart.quote.total,
  };
}

const isConflict = (error: unknown): error is Problem =>
  error instanceof Problem && ["out-of-stock", "price-changed", "promotion-ended"].includes(error.slug);

export function CheckoutForm({
  cart,
  isQuoteStale,
  user,
  addresses,
  summary,
  isAdjusting,
  onQuoteChange,
  onAdjust,
  onDropPromotion,
  onPlaced,
}: Props) {
  const isGuest = user === null;
  const placing = usePlaceOrder();
  const { register, handleSubmit, control, formState, reset, getValues, setError } =
    useForm<CheckoutValues>({
      resolver: zodResolver(checkoutSchema(isGuest)),
      defaultValues: EMPTY_CHECKOUT,
    });
  const [country, shippingMethod] = useWatch({
    control,
    name: ["shipping_address.country", "shipping_method"],
  });
  useEffect(() => {
    onQuoteChange({ country, shipping_method: shippingMethod });
  }, [country, shippingMethod, onQuoteChange]);

  function fillFrom(addressId: string) {
    const saved = addresses.find((address) => address.address_id === addressId);
    if (!saved) return;
    reset({ ...getValues(), shipping_address: toValues(saved) });
  }

  function place(values: CheckoutValues) {
    placing.mutate(
      { order: orderFrom(values, cart, isGuest), lines: cart.items },
      {
        onSuccess: onPlaced,
        onError: (error) => {
          if (!(error instanceof Problem)) return;
          for (const { field, message } of error.body.errors ?? []) {
            const name = field.replace(/^body\./, "");
            if (name === "email" || name.startsWith("shipping_address.")) {
              setError(name as keyof CheckoutValues, { message });
            }
          }
        },
      },
    );
  }

  const error = placing.error;
  const action = (
    <>
      {error !== null &&
        !placing.isPending &&
        (isConflict(error) ? (
          <OrderConflict
            problem={error}
            cart={cart}
            isBusy={isAdjusting}
            onAdjust={(lines) => {
              placing.reset();
              onAdjust(lines);
            }}
            onDropPromotion={() => {
              placing.reset();
              onDropPromotion();
            }}
          />
        ) : (
          <Alert color="red" role="alert" title="The order was not placed">
            {friendlyMessage(error)}
            {error instanceof Problem && error.isRetryable && (
              <Text size="sm" mt={4}>
                Press the button again: you will never be charged twice.
              </Text>
            )}
            {error instanceof Problem && error.correlationId && (
              <Text size="xs" mt={4}>
                Reference <code>{error.correlationId}</code>
              </Text>
            )}
          </Alert>
        ))}
      <Button
        type="submit"
        size="lg"
        fullWidth
        loading={placing.isPending}
        disabled={isQuoteStale || isAdjusting}
      >
        Place order · {formatMoney(cart.quote.total)}
      </Button>
    </>
  );

  return (
    <form
      noValidate
      aria-label="Checkout"
      className={classes.form}
      onSubmit={(event) => void handleSubmit(place)(event)}
    >
      <div className={classes.steps}>
        <section>
          <Title order={2} size="h3" mb="sm">
            Contact
          </Title>
          {user ? (
            <Text>
              We write to <b>{user.email}</b>.
            </Text>
          ) : (
            <TextInput
              size="md"
              label="E-mail"
              description="For the confirmation only"
              type="email"
              autoComplete="email"
              error={formState.errors.email?.message}
              {...register("email")}
            />
          )}
        </section>
        <section>
          <Title order={2} size="h3" mb="sm">
            Delivery address
          </Title>
          {addresses.length > 0 && (
            <NativeSelect
              size="md"
              mb="sm"
              label="Use a saved address"
              data={[
                { value: "", label: "Choose" },
                ...addresses.map((address) => ({
                  value: address.address_id,
                  label: `${address.name}, ${address.line1}, ${address.city}`,
                })),
              ]}
              onChange={(event) => {
                fillFrom(event.target.value);
              }}
            />
          )}
          <AddressFields
            field={(name) => register(`shipping_address.${name}`)}
            errors={formState.errors.shipping_address}
          />
        </section>
        <section>
          <Title order={2} size="h3" mb="sm">
            Shipping
          </Title>
          <ChoiceCards
            legend="Shipping method"
            choices={SHIPPING_METHODS}
            field={register("shipping_method")}
          />
        </section>
        <section>
          <Title order={2} size="h3" mb="sm">
            Payment
          </Title>
          <p className={classes.demo}>
            <IconFlask size={18} aria-hidden />
            This is a demonstration shop. Choose a test card; no real money moves, and no card
            number is asked.
          </p>
          <ChoiceCards legend="Test card" choices={TEST_CARDS} field={register("card_token")} />
        </section>
      </div>
      <div className={classes.side}>{summary(action)}</div>
    </form>
  );
}
