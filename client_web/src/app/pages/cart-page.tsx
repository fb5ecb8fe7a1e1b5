import { Button, Skeleton, Stack, Title } from "@mantine/core";
import IconShoppingBag from "@tabler/icons-react/icons/IconShoppingBag";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { EmptyState } from "@/components/empty-state";
import { ErrorView } from "@/components/error-view";
import { cartOptions } from "@/features/cart/api/get-cart";
import { CartLines } from "@/features/cart/components/cart-lines";
import { PromotionField } from "@/features/cart/components/promotion-field";
import { QuoteSummary } from "@/features/cart/components/quote-summary";
import { SavedLines } from "@/features/cart/components/saved-lines";
import { useDocumentTitle } from "@/lib/document-title";

import classes from "@/app/pages/columns.module.css";

export function CartPage() {
  useDocumentTitle("Cart");
  const cart = useQuery(cartOptions());
  if (cart.isPending) {
    return (
      <Stack aria-hidden="true">
        <Skeleton height={40} width={180} />
        <Skeleton height={120} />
        <Skeleton height={120} />
      </Stack>
    );
  }
  if (!cart.data) return <ErrorView error={cart.error} onRetry={() => void cart.refetch()} />;
  const { items, saved, quote, promotion } = cart.data;
  if (items.length === 0) {
    return (
      <>
        <EmptyState
          icon={<IconShoppingBag size={44} stroke={1.4} color="var(--mantine-color-dimmed)" aria-hidden />}
          title="Your cart is empty"
          action={
            <Button component={Link} to="/products" mt="sm">
              Find something good
            </Button>
          }
        >
          What you add stays here, on this device and in your account.
        </EmptyState>
        <SavedLines lines={saved} />
      </>
    );
  }
  return (
    <>
      <Title order={1} mb="md">
        Cart
      </Title>
      <div className={classes.columns}>
        <CartLines lines={items} />
        <QuoteSummary
          quote={quote}
          promotion={promotion}
          action={
            <Button component={Link} to="/checkout" size="lg" fullWidth>
              Go to checkout
            </Button>
          }
        >
          <PromotionField promotion={promotion} />
        </QuoteSummary>
      </div>
      <SavedLines lines={saved} />
    </>
  );
}
