import { Alert, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { QuantityStepper } from "@/components/quantity-stepper";
import { cartOptions } from "@/features/cart/api/get-cart";
import { useSetQuantity } from "@/features/cart/api/set-quantity";
import { MAX_PER_LINE } from "@/features/cart/limits";
import { friendlyMessage } from "@/lib/api/problem";
import { notify } from "@/lib/notices";

import type { Variant } from "@/lib/api/types";

import classes from "@/features/cart/components/add-to-cart.module.css";

interface Props {
  productId: string;
  title: string;
  variant: Variant | null;
  isSoldOut: boolean;
  /** Called instead of adding while an option is still open. */
  onIncomplete: () => void;
}

export function AddToCart({ productId, title, variant, isSoldOut, onIncomplete }: Props) {
  const [wanted, setWanted] = useState(1);
  const cart = useQuery(cartOptions());
  const change = useSetQuantity();

  const inCart = cart.data?.items.find((line) => line.sku === variant?.sku)?.quantity ?? 0;
  const left = variant ? Math.max(0, Math.min(variant.available, MAX_PER_LINE) - inCart) : MAX_PER_LINE;
  const quantity = Math.max(1, Math.min(wanted, left));
  const isExhausted = variant !== null && left === 0;

  function add() {
    if (!variant) {
      onIncomplete();
      return;
    }
    change.mutate(
      { sku: variant.sku, product_id: productId, quantity: inCart + quantity },
      {
        onSuccess: () => {
          setWanted(1);
          notify(`Added to cart: ${title}`, { to: "/cart", label: "View cart" });
        },
      },
    );
  }

  return (
    <div className={classes.add}>
      <div className={classes.row}>
        <QuantityStepper
          label={title}
          value={quantity}
          max={Math.max(1, left)}
          isDisabled={isSoldOut || isExhausted}
          onChange={setWanted}
        />
        <Button
          size="md"
          flex={1}
          onClick={add}
          disabled={isSoldOut || isExhausted || cart.isPending}
          loading={change.isPending}
        >
          {isSoldOut ? "Sold out" : isExhausted ? "All we have is in your cart" : "Add to cart"}
        </Button>
      </div>
      {change.isError && (
        <Alert color="red" role="alert" mt="sm">
          {friendlyMessage(change.error)}
        </Alert>
      )}
    </div>
  );
}
