import { Anchor, Button, Skeleton, Text, Title } from "@mantine/core";
import IconShoppingBag from "@tabler/icons-react/icons/IconShoppingBag";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";

import { EmptyState } from "@/components/empty-state";
import { ErrorView } from "@/components/error-view";
import { addressesOptions } from "@/features/account/api/addresses";
import { cartOptions } from "@/features/cart/api/get-cart";
import { useDropPromotion } from "@/features/cart/api/promotion";
import { useSetQuantity } from "@/features/cart/api/set-quantity";
import { QuoteSummary } from "@/features/cart/components/quote-summary";
import { CheckoutForm } from "@/features/checkout/components/checkout-form";
import { track } from "@/lib/analytics/track";
import { friendlyMessage } from "@/lib/api/problem";
import { useUser } from "@/lib/api/use-session";
import { useDocumentTitle } from "@/lib/document-title";
import { formatMoney } from "@/lib/format-money";
import { notify } from "@/lib/notices";
import { optionsText } from "@/lib/options-text";

import type { QuoteFor } from "@/features/cart/api/get-cart";
import type { Cart, ShortLine } from "@/lib/api/types";

import classes from "@/app/pages/checkout-page.module.css";

function Review({ cart }: { cart: Cart }) {
  return (
    <ul className={classes.review}>
      {cart.items.map((line) => (
        <li key={line.sku}>
          <span>
            {line.quantity} × {line.title}
            <Text span size="sm" c="dimmed" display="block">
              {optionsText(line.options)}
            </Text>
          </span>
          <b>{formatMoney(line.line_total)}</b>
        </li>
      ))}
      <li>
        <Anchor component={Link} to="/cart" size="sm">
          Edit cart
        </Anchor>
      </li>
    </ul>
  );
}

export function CheckoutPage() {
  useDocumentTitle("Checkout");
  const navigate = useNavigate();
  const user = useUser();
  const [quoteFor, setQuoteFor] = useState<QuoteFor>({ country: "GB", shipping_method: "standard" });
  const cart = useQuery(cartOptions(quoteFor));
  const addresses = useQuery({ ...addressesOptions(), enabled: user !== null });
  const setQuantity = useSetQuantity();
  const dropPromotion = useDropPromotion();

  const isStarted = useRef(false);
  const data = cart.data;
  useEffect(() => {
    if (!data || data.items.length === 0 || isStarted.current) return;
    isStarted.current = true;
    const { amount_minor, currency } = data.quote.total;
    track("checkout_started", { item_count: data.item_count, total_minor: amount_minor, currency });
  }, [data]);

  async function adjust(lines: ShortLine[]) {
    try {
      for (const { sku, available } of lines) {
        const product_id = data?.items.find((line) => line.sku === sku)?.product_id ?? "";
        await setQuantity.mutateAsync({ sku, product_id, quantity: available });
      }
      notify("Your cart is updated. Please check the new total.");
    } catch (error) {
      notify(friendlyMessage(error));
    }
  }

  if (cart.isPending) return <Skeleton height={480} radius="lg" aria-hidden="true" />;
  if (!data) return <ErrorView error={cart.error} onRetry={() => void cart.refetch()} />;
  if (data.items.length === 0) {
    return (
      <EmptyState
        icon={<IconShoppingBag size={44} stroke={1.4} color="var(--mantine-color-dimmed)" aria-hidden />}
        title="There is nothing to check out"
        action={
          <Button component={Link} to="/products" mt="sm">
            Browse the shop
          </Button>
        }
      >
        Your cart is empty.
      </EmptyState>
    );
  }
  return (
    <>
      <Title order={1}>Checkout</Title>
      <Text c="dimmed" mb="xl">
        {user ? (
          <>Signed in as {user.name}.</>
        ) : (
          <>
            Checking out as a guest.{" "}
            <Anchor component={Link} to="/sign-in?next=/checkout">
              Sign in instead
            </Anchor>
          </>
        )}
      </Text>
      <CheckoutForm
        cart={data}
        isQuoteStale={cart.isPlaceholderData}
        user={user}
        addresses={addresses.data?.items ?? []}
        isAdjusting={setQuantity.isPending || dropPromotion.isPending}
        onQuoteChange={setQuoteFor}
        onAdjust={(lines) => void adjust(lines)}
        onDropPromotion={() => {
          dropPromotion.mutate(undefined, {
            onError: (error) => {
              notify(friendlyMessage(error));
            },
          });
        }}
        onPlaced={(order) => void navigate(`/orders/${encodeURIComponent(order.order_id)}`, { replace: true })}
        summary={(action) => (
          <QuoteSummary
            quote={data.quote}
            promotion={data.promotion}
            isStale={cart.isPlaceholderData}
            action={action}
          >
            <Review cart={data} />
          </QuoteSummary>
        )}
      />
    </>
  );
}
