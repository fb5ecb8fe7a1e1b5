import { Text } from "@mantine/core";
import { Link } from "react-router";

import { Picture } from "@/components/picture";
import { formatMoney } from "@/lib/format-money";
import { optionsText } from "@/lib/options-text";

import type { Money, Order } from "@/lib/api/types";

import classes from "@/features/orders/components/order-lines.module.css";

interface AmountProps {
  label: string;
  money: Money;
  isTotal?: boolean;
  /** It comes off what is paid. */
  isTaken?: boolean;
}

function Amount({ label, money, isTotal = false, isTaken = false }: AmountProps) {
  return (
    <div data-total={isTotal || undefined} data-taken={isTaken || undefined}>
      <dt>{label}</dt>
      <dd>
        {isTaken && "−"}
        {formatMoney(money)}
      </dd>
    </div>
  );
}

export function OrderLines({ order }: { order: Order }) {
  return (
    <>
      <ul className={classes.lines}>
        {order.lines.map((line) => (
          <li key={line.line_no}>
            <Picture src={line.image_url} alt="" className={classes.picture} />
            <div className={classes.what}>
              <Link to={`/products/${encodeURIComponent(line.product_id)}`}>{line.title}</Link>
              <Text size="sm" c="dimmed">
                {[optionsText(line.options), `${String(line.quantity)} × ${formatMoney(line.unit_price)}`]
                  .filter(Boolean)
                  .join(" · ")}
              </Text>
            </div>
            <b>{formatMoney(line.line_total)}</b>
          </li>
        ))}
      </ul>
      <dl className={classes.amounts}>
        <Amount label="Subtotal" money={order.subtotal} />
        {order.discount.amount_minor > 0 && (
          <Amount
            label={order.promotion_code ? `Discount (${order.promotion_code})` : "Discount"}
            money={order.discount}
            isTaken
          />
        )}
        <Amount label="Shipping" money={order.shipping} />
        <Amount label="Tax" money={order.tax} />
        <Amount label="Total" money={order.total} isTotal />
        {order.refunded.amount_minor > 0 && <Amount label="Refunded" money={order.refunded} isTaken />}
      </dl>
    </>
  );
}
