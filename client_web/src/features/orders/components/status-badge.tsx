import { Badge } from "@mantine/core";

import { STATUS_TEXT } from "@/features/orders/status";

import type { OrderStatus } from "@/lib/api/types";

import classes from "@/features/orders/components/status-badge.module.css";

export function StatusBadge({ status }: { status: OrderStatus }) {
  const tone =
    status === "delivered" ? "good" : ["payment_failed", "cancelled", "refunded"].includes(status) ? "bad" : "open";
  return (
    <Badge variant="outline" className={classes.badge} data-tone={tone} tt="none">
      {STATUS_TEXT[status]}
    </Badge>
  );
}
