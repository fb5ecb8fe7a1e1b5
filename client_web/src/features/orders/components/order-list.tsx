import { Link } from "react-router";

import { StatusBadge } from "@/features/orders/components/status-badge";
import { formatDay } from "@/lib/format-date";
import { formatMoney } from "@/lib/format-money";

import type { PlacedOrder } from "@/lib/api/types";

import classes from "@/features/orders/components/order-list.module.css";

export function OrderList({ orders }: { orders: PlacedOrder[] }) {
  return (
    <ul className={classes.list}>
      {orders.map((order) => (
        <li key={order.order_id}>
          <Link to={`/orders/${encodeURIComponent(order.order_id)}`} className={classes.order}>
            <span className={classes.what}>
              <b>Order {order.number}</b>
              <span>
                {formatDay(order.placed_at)} · {order.item_count} {order.item_count === 1 ? "item" : "items"}
              </span>
            </span>
            <StatusBadge status={order.status} />
            <b className={classes.total}>{formatMoney(order.total)}</b>
          </Link>
        </li>
      ))}
    </ul>
  );
}
