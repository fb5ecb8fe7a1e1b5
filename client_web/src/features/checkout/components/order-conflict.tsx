import { Alert, Button, Stack, Text } from "@mantine/core";

import { formatMoney } from "@/lib/format-money";
import { optionsText } from "@/lib/options-text";

import type { Problem } from "@/lib/api/problem";
import type { Cart, ShortLine } from "@/lib/api/types";

import classes from "@/features/checkout/components/order-conflict.module.css";

interface Props {
  problem: Problem;
  cart: Cart;
  isBusy: boolean;
  /** Brings the cart down to what is there; the shopper then places the order again. */
  onAdjust: (lines: ShortLine[]) => void;
  onDropPromotion: () => void;
}

/** Why the shop said 409, line by line, and what to do about it. */
export function OrderConflict({ problem, cart, isBusy, onAdjust, onDropPromotion }: Props) {
  if (problem.slug === "price-changed") {
    const changed = cart.items.filter((line) => line.price_changed);
    return (
      <Alert color="yellow" role="alert" title="A price has changed" className={classes.alert}>
        <Stack gap="xs">
          {changed.length > 0 && (
            <ul className={classes.lines}>
              {changed.map((line) => (
                <li key={line.sku}>
                  <b>{line.title}</b> is now {formatMoney(line.unit_price)} each.
                </li>
              ))}
            </ul>
          )}
          <Text size="sm">
            The new total is <b>{formatMoney(cart.quote.total)}</b>. Nothing was ordered. If that is
            fine with you, place the order again.
          </Text>
        </Stack>
      </Alert>
    );
  }
  if (problem.slug === "promotion-ended") {
    return (
      <Alert color="yellow" role="alert" title="The code cannot be used" className={classes.alert}>
        <Stack gap="xs" align="flex-start">
          <Text size="sm">{problem.body.detail}. Nothing was ordered.</Text>
          <Button size="sm" fullWidth loading={isBusy} onClick={onDropPromotion}>
            Go on without {problem.body.code}
          </Button>
        </Stack>
      </Alert>
    );
  }
  const short = problem.body.lines ?? [];
  return (
    <Alert color="yellow" role="alert" title="Somebody was faster" className={classes.alert}>
      <Stack gap="xs" align="flex-start">
        <ul className={classes.lines}>
          {short.map((line) => {
            const item = cart.items.find(({ sku }) => sku === line.sku);
            const name = item ? [item.title, optionsText(item.options)].filter(Boolean).join(", ") : line.sku;
            return (
              <li key={line.sku}>
                <b>{name}</b>:{" "}
                {line.available > 0
                  ? `only ${String(line.available)} left, you asked for ${String(line.requested)}.`
                  : "sold out."}
              </li>
            );
          })}
        </ul>
        <Text size="sm">Nothing was ordered, and you were not charged.</Text>
        <Button
          size="sm"
          fullWidth
          loading={isBusy}
          onClick={() => {
            onAdjust(short);
          }}
        >
          Update my cart
        </Button>
      </Stack>
    </Alert>
  );
}
