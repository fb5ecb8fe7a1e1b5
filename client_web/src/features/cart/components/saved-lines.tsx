import { Button, Text, Title } from "@mantine/core";
import { Link } from "react-router";

import { Picture } from "@/components/picture";
import { useForgetSaved } from "@/features/cart/api/save-for-later";
import { useSetQuantity } from "@/features/cart/api/set-quantity";
import { friendlyMessage } from "@/lib/api/problem";
import { formatMoney } from "@/lib/format-money";
import { notify } from "@/lib/notices";
import { optionsText } from "@/lib/options-text";

import type { CartLine } from "@/lib/api/types";

import classes from "@/features/cart/components/saved-lines.module.css";

function Saved({ line }: { line: CartLine }) {
  const back = useSetQuantity();
  const forget = useForgetSaved();
  const isBusy = back.isPending || forget.isPending;
  const error = back.error ?? forget.error;
  const quantity = Math.min(line.quantity, line.available);
  const to = `/products/${encodeURIComponent(line.product_id)}`;
  return (
    <li className={classes.line}>
      <Link to={to} tabIndex={-1} aria-hidden="true">
        <Picture src={line.image_url} alt="" className={classes.picture} />
      </Link>
      <div className={classes.what}>
        <Link to={to} className={classes.title}>
          {line.title}
        </Link>
        <Text size="sm" c="dimmed">
          {[optionsText(line.options), formatMoney(line.unit_price)].filter(Boolean).join(" · ")}
        </Text>
        {line.price_changed && <Text className={classes.warn}>The price has changed since you saved it.</Text>}
        {line.available === 0 && <Text className={classes.warn}>Sold out.</Text>}
        {error && (
          <Text size="sm" c="var(--mantine-color-error)" role="alert">
            {friendlyMessage(error)}
          </Text>
        )}
        <div className={classes.actions}>
          <Button
            variant="default"
            size="compact-sm"
            disabled={isBusy || quantity === 0}
            aria-label={`Move ${line.title} to the cart`}
            onClick={() => {
              back.mutate(
                { sku: line.sku, product_id: line.product_id, quantity },
                {
                  onSuccess: () => {
                    notify(`Back in your cart: ${line.title}`);
                  },
                },
              );
            }}
          >
            Move to cart
          </Button>
          <Button
            variant="subtle"
            color="gray"
            size="compact-sm"
            className={classes.forget}
            disabled={isBusy}
            aria-label={`Forget ${line.title}`}
            onClick={() => {
              forget.mutate(line.sku);
            }}
          >
            Remove
          </Button>
        </div>
      </div>
    </li>
  );
}

export function SavedLines({ lines }: { lines: CartLine[] }) {
  if (lines.length === 0) return null;
  return (
    <section className={classes.saved} aria-labelledby="saved">
      <Title order={2} size="h3" id="saved" mb="sm">
        Saved for later
      </Title>
      <ul className={classes.lines}>
        {lines.map((line) => (
          <Saved key={line.sku} line={line} />
        ))}
      </ul>
    </section>
  );
}
