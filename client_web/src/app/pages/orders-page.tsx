import { Button, Skeleton, Stack, Title } from "@mantine/core";
import IconPackage from "@tabler/icons-react/icons/IconPackage";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { RequireUser } from "@/app/require-user";
import { EmptyState } from "@/components/empty-state";
import { ErrorView } from "@/components/error-view";
import { ordersOptions } from "@/features/orders/api/get-orders";
import { OrderList } from "@/features/orders/components/order-list";
import { useDocumentTitle } from "@/lib/document-title";

import type { User } from "@/lib/api/types";

function Orders({ user }: { user: User }) {
  const orders = useInfiniteQuery(ordersOptions(user.user_id));
  if (orders.isPending) {
    return (
      <Stack aria-hidden="true">
        <Skeleton height={84} radius="lg" />
        <Skeleton height={84} radius="lg" />
        <Skeleton height={84} radius="lg" />
      </Stack>
    );
  }
  if (!orders.data) return <ErrorView error={orders.error} onRetry={() => void orders.refetch()} />;
  const items = orders.data.pages.flatMap((page) => page.items);
  if (items.length === 0) {
    return (
      <EmptyState
        icon={<IconPackage size={44} stroke={1.4} color="var(--mantine-color-dimmed)" aria-hidden />}
        order={2}
        title="No orders yet"
        action={
          <Button component={Link} to="/products" mt="sm">
            Browse the shop
          </Button>
        }
      >
        Once you order something, you follow it here.
      </EmptyState>
    );
  }
  return (
    <Stack>
      <OrderList orders={items} />
      {orders.hasNextPage && (
        <Button
          variant="default"
          mx="auto"
          loading={orders.isFetchingNextPage}
          onClick={() => void orders.fetchNextPage()}
        >
          Load more
        </Button>
      )}
    </Stack>
  );
}

export function OrdersPage() {
  useDocumentTitle("My orders");
  return (
    <div style={{ maxWidth: "48rem", marginInline: "auto" }}>
      <Title order={1} mb="lg">
        My orders
      </Title>
      <RequireUser>{(user) => <Orders user={user} />}</RequireUser>
    </div>
  );
}
