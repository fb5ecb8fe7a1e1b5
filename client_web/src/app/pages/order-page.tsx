import { Alert, Button, Group, Paper, Skeleton, Text, Title } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useNavigate, useParams } from "react-router";

import { NotFound } from "@/app/pages/not-found-page";
import { ErrorView } from "@/components/error-view";
import { cartOptions } from "@/features/cart/api/get-cart";
import { useRefillCart } from "@/features/cart/api/refill-cart";
import { useCancelOrder } from "@/features/orders/api/cancel-order";
import { orderOptions } from "@/features/orders/api/get-order";
import { OrderLines } from "@/features/orders/components/order-lines";
import { OrderTimeline } from "@/features/orders/components/order-timeline";
import { headline } from "@/features/orders/status";
import { friendlyMessage, Problem } from "@/lib/api/problem";
import { countryName } from "@/lib/countries";
import { useDocumentTitle } from "@/lib/document-title";
import { formatDay } from "@/lib/format-date";
import { notify } from "@/lib/notices";

import type { Order } from "@/lib/api/types";

import classes from "@/app/pages/order-page.module.css";

function CancelButton({ orderId }: { orderId: string }) {
  const cancel = useCancelOrder(orderId);
  return (
    <>
      {cancel.isError && (
        <Alert color="red" role="alert" mb="sm">
          {friendlyMessage(cancel.error)}
        </Alert>
      )}
      <Button
        variant="default"
        loading={cancel.isPending}
        onClick={() => {
          cancel.mutate();
        }}
      >
        Cancel this order
      </Button>
    </>
  );
}

function BuyAgain({ order }: { order: Order }) {
  const refill = useRefillCart();
  const navigate = useNavigate();
  return (
    <Button
      loading={refill.isPending}
      onClick={() => {
        refill.mutate(order.lines, {
          onSuccess: ({ skipped }) => {
            if (skipped > 0) notify(`${String(skipped)} of the things are sold out and stayed out.`);
            void navigate("/checkout");
          },
          onError: (error) => {
            notify(friendlyMessage(error));
          },
        });
      }}
    >
      {order.status === "payment_failed" ? "Try again with another card" : "Order again"}
    </Button>
  );
}

export function OrderPage() {
  const { orderId = "" } = useParams();
  const client = useQueryClient();
  const order = useQuery(orderOptions(orderId));
  const data = order.data;
  useDocumentTitle(data ? `Order ${data.number}` : "Order");
  // Placing the order has emptied the cart on the server.
  useEffect(() => {
    void client.invalidateQueries({ queryKey: cartOptions().queryKey });
  }, [client]);

  if (order.isPending) return <Skeleton height={420} radius="lg" aria-hidden="true" />;
  if (!data) {
    return order.error instanceof Problem && [401, 403, 404].includes(order.error.status) ? (
      <NotFound what="We cannot find this order" />
    ) : (
      <ErrorView error={order.error} onRetry={() => void order.refetch()} />
    );
  }
  const { title, text } = headline(data);
  const isOver = ["payment_failed", "cancelled", "refunded"].includes(data.status);
  const address = data.shipping_address;
  return (
    <>
      <Text c="dimmed" size="sm">
        Order {data.number} · {formatDay(data.placed_at)}
      </Text>
      <div role="status">
        <Title order={1} mt={4}>
          {title}
        </Title>
        <Text c="dimmed" maw={560}>
          {text}
        </Text>
      </div>
      {order.isError && (
        <Alert color="yellow" mt="md" role="status" c="var(--mantine-color-text)">
          We cannot reach the shop right now, so this may be out of date. We keep trying.
        </Alert>
      )}
      <div className={classes.columns}>
        <Paper withBorder p="lg" radius="lg" component="section" aria-label="Progress">
          <OrderTimeline order={data} />
          {(data.can_cancel || isOver) && (
            <Group mt="lg">
              {data.can_cancel && <CancelButton orderId={data.order_id} />}
              {isOver && <BuyAgain order={data} />}
            </Group>
          )}
        </Paper>
        <section>
          <Title order={2} size="h3" mb="xs">
            What you ordered
          </Title>
          <OrderLines order={data} />
          <Title order={2} size="h3" mt="xl" mb="xs">
            Delivery
          </Title>
          <Text>
            {[address.name, address.line1, address.line2, address.city, address.postal_code, countryName(address.country)]
              .filter(Boolean)
              .join(", ")}
          </Text>
          <Text c="dimmed" size="sm">
            {data.shipping_method === "express" ? "Express" : "Standard"} shipping
          </Text>
        </section>
      </div>
    </>
  );
}
