import { Button, CloseButton, Text, TextInput } from "@mantine/core";
import IconTag from "@tabler/icons-react/icons/IconTag";
import { useState } from "react";

import { useApplyPromotion, useDropPromotion } from "@/features/cart/api/promotion";
import { friendlyMessage, Problem } from "@/lib/api/problem";
import { formatMoney } from "@/lib/format-money";
import { notify } from "@/lib/notices";

import type { Promotion } from "@/lib/api/types";
import type { FormEvent } from "react";

import classes from "@/features/cart/components/promotion-field.module.css";

function whatItGives(promotion: Promotion): string {
  if (promotion.kind === "percentage") return `${String(promotion.percent)} % off`;
  if (promotion.kind === "amount" && promotion.amount) return `${formatMoney(promotion.amount)} off`;
  return "Free shipping";
}

/** What the code does for this cart now, in a few words. */
function standing(promotion: Promotion): string {
  if (promotion.state === "applied") return whatItGives(promotion);
  if (promotion.state === "below_minimum" && promotion.minimum_subtotal) {
    return `${whatItGives(promotion)} from ${formatMoney(promotion.minimum_subtotal)}`;
  }
  return `${promotion.detail ?? "It cannot be used"}. Remove it to order.`;
}

function whyNot(error: unknown): string {
  const [fault] = error instanceof Problem ? (error.body.errors ?? []) : [];
  return fault?.message ?? friendlyMessage(error);
}

function Applied({ promotion }: { promotion: Promotion }) {
  const drop = useDropPromotion();
  return (
    <div className={classes.applied} data-state={promotion.state}>
      <IconTag size={18} aria-hidden />
      <div className={classes.what}>
        <b>{promotion.code}</b>
        <Text size="sm" role="status">
          {standing(promotion)}
        </Text>
        {drop.isError && (
          <Text size="sm" c="var(--mantine-color-error)" role="alert">
            {friendlyMessage(drop.error)}
          </Text>
        )}
      </div>
      <CloseButton
        aria-label={`Remove code ${promotion.code}`}
        disabled={drop.isPending}
        onClick={() => {
          drop.mutate(undefined);
        }}
      />
    </div>
  );
}

export function PromotionField({ promotion }: { promotion: Promotion | null }) {
  const [code, setCode] = useState("");
  const apply = useApplyPromotion();
  if (promotion) return <Applied promotion={promotion} />;

  function submit(event: FormEvent) {
    event.preventDefault();
    const wanted = code.trim();
    if (!wanted) return;
    apply.mutate(wanted, {
      onSuccess: () => {
        setCode("");
        notify(`Code ${wanted.toUpperCase()} is in your cart`);
      },
    });
  }

  return (
    <form className={classes.form} onSubmit={submit}>
      <TextInput
        label="Promotion code"
        value={code}
        maxLength={32}
        autoComplete="off"
        autoCapitalize="characters"
        spellCheck={false}
        error={apply.isError ? whyNot(apply.error) : undefined}
        onChange={(event) => {
          apply.reset();
          setCode(event.target.value);
        }}
      />
      <Button type="submit" variant="default" loading={apply.isPending}>
        Apply
      </Button>
    </form>
  );
}
