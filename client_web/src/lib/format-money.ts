import type { Money } from "@/lib/api/types";

const formatters = new Map<string, { format: Intl.NumberFormat; minorPerMajor: number }>();

function formatterOf(currency: string) {
  let entry = formatters.get(currency);
  if (!entry) {
    const format = new Intl.NumberFormat("en-GB", { style: "currency", currency });
    entry = { format, minorPerMajor: 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2) };
    formatters.set(currency, entry);
  }
  return entry;
}

/** The only place where minor units become text; the number of decimals is the currency's own. */
export function formatMoney(money: Money): string {
  const { format, minorPerMajor } = formatterOf(money.currency);
  return format.format(money.amount_minor / minorPerMajor);
}
