import IconCheck from "@tabler/icons-react/icons/IconCheck";
import IconX from "@tabler/icons-react/icons/IconX";

import { steps } from "@/features/orders/status";
import { formatMoment } from "@/lib/format-date";

import type { Order } from "@/lib/api/types";

import classes from "@/features/orders/components/order-timeline.module.css";

export function OrderTimeline({ order }: { order: Pick<Order, "status" | "timeline"> }) {
  return (
    <ol className={classes.timeline} aria-label="Progress of the order">
      {steps(order).map((step, index) => (
        <li
          key={`${String(index)} ${step.status}`}
          data-state={step.state}
          aria-current={index === order.timeline.length - 1 ? "step" : undefined}
        >
          <span className={classes.dot} aria-hidden="true">
            {step.state === "done" && <IconCheck size={14} stroke={3} />}
            {step.state === "failed" && <IconX size={14} stroke={3} />}
          </span>
          <span className={classes.text}>
            <b>{step.label}</b>
            {step.at ? (
              <time dateTime={step.at}>{formatMoment(step.at)}</time>
            ) : (
              <span className="visually-hidden">(still to come)</span>
            )}
            {step.note && <span>{step.note}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}
