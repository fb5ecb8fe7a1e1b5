import { Link, useSearchParams } from "react-router";

import { categoryName, filterFromUrl, urlWith } from "@/features/catalog/filter-url";
import { sortOptionNames, sortValues } from "@/features/catalog/variants";
import { formatMoney } from "@/lib/format-money";

import type { ProductFilter } from "@/features/catalog/api/get-products";
import type { PriceBucket, ProductPage } from "@/lib/api/types";

import classes from "@/features/catalog/components/filters.module.css";

interface Props {
  facets: ProductPage["facets"] | undefined;
  currency: string;
}

const whole = (amount_minor: number, currency: string) =>
  formatMoney({ amount_minor, currency }).replace(/\.00$/, "");

export function priceText(bucket: Pick<PriceBucket, "from_minor" | "to_minor">, currency: string): string {
  // Buckets have inclusive ends (25.01 to 50.00): people read the round number.
  const from = bucket.from_minor % 100 === 1 ? bucket.from_minor - 1 : bucket.from_minor;
  if (bucket.to_minor === null) return `Over ${whole(from, currency)}`;
  if (bucket.from_minor === 0) return `Up to ${whole(bucket.to_minor, currency)}`;
  return `${whole(from, currency)} to ${whole(bucket.to_minor, currency)}`;
}

const MAX_CATEGORIES = 18;
const MAX_VALUES = 14;

const depth = (value: string) => value.split(" > ").length;

/**
 * The next narrower categories. Without a choice these are the two upper levels, each root before
 * what lies in it, since one root may hold nearly everything and would then be no help alone.
 */
function narrower(facets: ProductPage["facets"]["category"], chosen: string | undefined) {
  const found = facets.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  const inside = (value: string) =>
    found.filter((facet) => facet.value.startsWith(`${value} > `) && depth(facet.value) === depth(value) + 1);
  const shown = chosen
    ? inside(chosen)
    : found.filter(({ value }) => depth(value) === 1).flatMap((root) => [root, ...inside(root.value)]);
  return shown.slice(0, MAX_CATEGORIES);
}

/** Every choice is a link: it can be opened, shared and undone with the back button. */
export function Filters({ facets, currency }: Props) {
  const [search] = useSearchParams();
  const filter = filterFromUrl(search);
  const to = (patch: Partial<ProductFilter>) => ({ search: urlWith(search, patch).toString() });
  const trail = filter.category?.split(" > ") ?? [];
  const categories = narrower(facets?.category ?? [], filter.category);

  return (
    <div className={classes.filters}>
      <section>
        <h2>Category</h2>
        <ul>
          {trail.length > 0 && (
            <li>
              <Link to={to({ category: undefined })}>All categories</Link>
            </li>
          )}
          {trail.map((name, index) => {
            const value = trail.slice(0, index + 1).join(" > ");
            const isHere = index === trail.length - 1;
            return (
              <li key={value} style={{ paddingInlineStart: `${String((index + 1) * 0.6)}rem` }}>
                <Link to={to({ category: value })} aria-current={isHere || undefined}>
                  {name}
                </Link>
              </li>
            );
          })}
          {categories.map((facet) => (
            <li
              key={facet.value}
              style={{
                paddingInlineStart: `${String((trail.length > 0 ? trail.length + 1 : depth(facet.value) - 1) * 0.6)}rem`,
              }}
            >
              <Link to={to({ category: facet.value })}>{categoryName(facet.value)}</Link>
              <span>{facet.count.toLocaleString("en-GB")}</span>
            </li>
          ))}
        </ul>
      </section>
      <section>
        <h2>Price</h2>
        <ul>
          {facets?.price.map((bucket) => {
            const isHere =
              filter.min_price === bucket.from_minor && filter.max_price === (bucket.to_minor ?? undefined);
            if (bucket.count === 0 && !isHere) return null;
            return (
              <li key={bucket.value}>
                <Link
                  to={to(
                    isHere
                      ? { min_price: undefined, max_price: undefined }
                      : { min_price: bucket.from_minor, max_price: bucket.to_minor ?? undefined },
                  )}
                  aria-current={isHere || undefined}
                >
                  {priceText(bucket, currency)}
                </Link>
                <span>{bucket.count.toLocaleString("en-GB")}</span>
              </li>
            );
          })}
        </ul>
      </section>
      <Options options={facets?.options ?? []} chosen={filter.option ?? []} to={to} />
      <section>
        <h2>Availability</h2>
        <ul>
          <li>
            <Link
              to={to({ in_stock: filter.in_stock ? undefined : true })}
              aria-current={filter.in_stock || undefined}
            >
              In stock only
            </Link>
            {facets && <span>{facets.in_stock.toLocaleString("en-GB")}</span>}
          </li>
        </ul>
      </section>
    </div>
  );
}

interface OptionsProps {
  options: ProductPage["facets"]["options"];
  chosen: string[];
  to: (patch: Partial<ProductFilter>) => { search: string };
}

/** Colour, size and whatever else the goods on this list come in; several of one may be chosen. */
function Options({ options, chosen, to }: OptionsProps) {
  const byName = new Map(options.map((option) => [option.name, option.values]));
  return sortOptionNames([...byName.keys()]).map((name) => {
    const counts = new Map(byName.get(name)?.slice(0, MAX_VALUES).map(({ value, count }) => [value, count]));
    for (const each of chosen) {
      if (each.startsWith(`${name}:`)) counts.set(each.slice(name.length + 1), counts.get(each.slice(name.length + 1)) ?? 0);
    }
    return (
      <section key={name}>
        <h2>{name.charAt(0).toUpperCase() + name.slice(1)}</h2>
        <ul className={classes.values}>
          {sortValues([...counts.keys()]).map((value) => {
            const key = `${name}:${value}`;
            const isHere = chosen.includes(key);
            const next = isHere ? chosen.filter((each) => each !== key) : [...chosen, key];
            return (
              <li key={value}>
                <Link to={to({ option: next })} aria-current={isHere || undefined}>
                  {value} <span>{(counts.get(value) ?? 0).toLocaleString("en-GB")}</span>
                </Link>
              </li>
            );
          })}
        </ul>
      </section>
    );
  });
}

/** What is filtered now, each with a way to drop it. */
export function ActiveFilters({ currency }: { currency: string }) {
  const [search] = useSearchParams();
  const filter = filterFromUrl(search);
  const chips: { label: string; without: Partial<ProductFilter> }[] = [];
  if (filter.category) {
    chips.push({ label: categoryName(filter.category), without: { category: undefined } });
  }
  if (filter.min_price !== undefined || filter.max_price !== undefined) {
    chips.push({
      label: priceText({ from_minor: filter.min_price ?? 0, to_minor: filter.max_price ?? null }, currency),
      without: { min_price: undefined, max_price: undefined },
    });
  }
  if (filter.in_stock) chips.push({ label: "In stock", without: { in_stock: undefined } });
  for (const each of filter.option ?? []) {
    const without = { option: filter.option?.filter((other) => other !== each) };
    chips.push({ label: each.replace(":", ": "), without });
  }
  if (chips.length === 0) return null;
  return (
    <ul className={classes.active} aria-label="Active filters">
      {chips.map((chip) => (
        <li key={chip.label}>
          <Link
            to={{ search: urlWith(search, chip.without).toString() }}
            aria-label={`Remove filter ${chip.label}`}
          >
            {chip.label} <span aria-hidden="true">×</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
