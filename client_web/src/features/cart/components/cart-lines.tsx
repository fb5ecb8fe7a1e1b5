import { Button, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";

import { Picture } from "@/components/picture";
import { QuantityStepper } from "@/components/quantity-stepper";
import { useSaveForLater } from "@/features/cart/api/save-for-later";
import { useSetQuantity } from "@/features/cart/api/set-quantity";
import { MAX_PER_LINE } from "@/features/cart/limits";
import { friendlyMessage } from "@/lib/api/problem";
import { formatMoney } from "@/lib/format-money";
import { notify } from "@/lib/notices";
import { optionsText } from "@/lib/options-text";

import type { CartLine } from "@/lib/api/types";

import classes from "@/features/cart/components/cart-lines.module.css";

function Line({ line }: { line: CartLine }) {
  const change = useSetQuantity();
  const saving = useSaveForLater();
  const isBusy = change.isPending || saving.isPending;
  const isShort = line.available < line.quantity;
  const [error, setError] = useState<unknown>(null);

  function set(quantity: number) {
    setError(null);
    change.mutate(
      { sku: line.sku, product_id: line.product_id, quantity },
      {
        onError: setError,
        onSuccess: () => {
          notify(quantity === 0 ? `Removed: ${line.title}` : `${line.title}: quantity ${String(quantity)}`);
        },
      },
    );
  }

  return (
    <li className={classes.line} data-busy={isBusy || undefined}>
      <Link to={`/products/${encodeURIComponent(line.product_id)}`} tabIndex={-1} aria-hidden="true">
        <Picture src={line.image_url} alt="" className={classes.picture} />
      </Link>
      <div className={classes.what}>
        <Link to={`/products/${encodeURIComponent(line.product_id)}`} className={classes.title}>
          {line.title}
        </Link>
        <Text size="sm" c="dimmed">
          {optionsText(line.options)}
        </Text>
        <Text size="sm" c="dimmed">
          {formatMoney(line.unit_price)} each
        </Text>
        {line.price_changed && (
          <Text className={classes.warn}>The price has changed since you added it.</Text>
        )}
        {isShort && (
          <Text className={classes.warn}>
            {line.available === 0 ? "Sold out." : `Only ${String(line.available)} left.`}
          </Text>
        )}
        {error !== null && (
          <Text size="sm" c="var(--mantine-color-error)" role="alert">
            {friendlyMessage(error)}
          </Text>
        )}
      </div>
      <div className={classes.controls}>
        <QuantityStepper
          label={line.title}
          value={line.quantity}
          max={Math.min(line.available, MAX_PER_LINE)}
          isDisabled={isBusy}
          onChange={set}
        />
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          className={classes.remove}
          disabled={isBusy}
          aria-label={`Remove ${line.title}`}
          onClick={() => {
            set(0);
          }}
        >
          Remove
        </Button>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          className={classes.remove}
          disabled={isBusy}
          aria-label={`Save ${line.title} for later`}
          onClick={() => {
            setError(null);
            saving.mutate(line.sku, {
              onError: setError,
              onSuccess: () => {
                notify(`Saved for later: ${line.title}`);
              },
            });
          }}
        >
          Save for later
        </Button>
      </div>
      <p className={classes.total}>{formatMoney(line.line_total)}</p>
    </li>
  );
}

export function CartLines({ lines }: { lines: CartLine[] }) {
  return (
    <ul className={classes.lines}>
      {lines.map((line) => (
        <Line key={line.sku} line={line} />
      ))}
    </ul>
  );
}
