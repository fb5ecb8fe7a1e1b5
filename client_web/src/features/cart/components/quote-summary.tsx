import { Paper, Stack, Text, Title } from "@mantine/core";

import { formatMoney } from "@/lib/format-money";

import type { Money, Promotion, Quote } from "@/lib/api/types";
import type { ReactNode } from "react";

import classes from "@/features/cart/components/quote-summary.module.css";

interface Props {
  quote: Quote;
  promotion: Promotion | null;
  isStale?: boolean;
  children?: ReactNode;
  action?: ReactNode;
}

function Row({ label, money, isFreeAtZero = false }: { label: string; money: Money; isFreeAtZero?: boolean }) {
  return (
    <div className={classes.row}>
      <dt>{label}</dt>
      <dd>{isFreeAtZero && money.amount_minor === 0 ? "Free" : formatMoney(money)}</dd>
    </div>
  );
}

export function QuoteSummary({ quote, promotion, isStale = false, children, action }: Props) {
  return (
    <Paper component="section" className={classes.summary} p="lg" aria-busy={isStale}>
      <Title order={2} size="h3" mb="sm">
        Summary
      </Title>
      {children}
      <dl className={classes.rows} aria-live="polite">
        <Row label="Subtotal" money={quote.subtotal} />
        {quote.discount.amount_minor > 0 && (
          <div className={classes.row} data-saving>
            <dt>Discount{promotion && ` (${promotion.code})`}</dt>
            <dd>−{formatMoney(quote.discount)}</dd>
          </div>
        )}
        <Row
          label={quote.shipping_method === "express" ? "Express shipping" : "Standard shipping"}
          money={quote.shipping}
          isFreeAtZero
        />
        <Row label="Tax" money={quote.tax} />
        <div className={classes.total}>
          <dt>Total</dt>
          <dd>{formatMoney(quote.total)}</dd>
        </div>
      </dl>
      {action && (
        <Stack gap="xs" mt="md">
          {action}
        </Stack>
      )}
      <Text size="xs" c="dimmed" mt="sm">
        All prices in {quote.currency}. Shipping and tax follow the delivery country.
      </Text>
    </Paper>
  );
}
