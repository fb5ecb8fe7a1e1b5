import { SORTS } from "@/features/catalog/api/get-products";

import type { ProductFilter } from "@/features/catalog/api/get-products";
import type { Suggestion } from "@/lib/api/types";

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function optionsOf(search: URLSearchParams): string[] | undefined {
  const asked = search.getAll("option").filter((text) => /^[^:]+:.+$/.test(text));
  return asked.length > 0 ? [...new Set(asked)].slice(0, 20) : undefined;
}

/** The address bar is the filter's only home; nonsense in it is ignored, not obeyed. */
export function filterFromUrl(search: URLSearchParams): ProductFilter {
  const sort = SORTS.find((known) => known === search.get("sort"));
  return {
    q: search.get("q")?.trim() || undefined,
    category: search.get("category") || undefined,
    min_price: wholeNumber(search.get("min_price")),
    max_price: wholeNumber(search.get("max_price")),
    in_stock: search.get("in_stock") === "true" || undefined,
    option: optionsOf(search),
    sort,
  };
}

/** `patch` over the present filter; a changed filter starts at its first page. */
export function urlWith(search: URLSearchParams, patch: Partial<ProductFilter>): URLSearchParams {
  const next = new URLSearchParams(search);
  next.delete("cursor");
  for (const [name, value] of Object.entries(patch)) {
    next.delete(name);
    const values = Array.isArray(value) ? value : [value];
    for (const each of values) {
      if (each !== undefined && each !== "") next.append(name, String(each));
    }
  }
  return next;
}

export const categoryPath = (category: string[]) => category.join(" > ");
export const categoryName = (value: string) => value.split(" > ").pop() ?? value;
export const categoryUrl = (value: string) => `/products?${new URLSearchParams({ category: value }).toString()}`;

export const suggestionUrl = (suggestion: Suggestion) =>
  suggestion.kind === "category"
    ? categoryUrl(suggestion.text)
    : suggestion.product_id
      ? `/products/${encodeURIComponent(suggestion.product_id)}`
      : `/products?${new URLSearchParams({ q: suggestion.text }).toString()}`;
