import { SORTS } from "@/features/catalog/api/get-products";

import type { ProductFilter } from "@/features/catalog/api/get-products";

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
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
    sort,
  };
}

/** `patch` over the present filter; a changed filter starts at its first page. */
export function urlWith(search: URLSearchParams, patch: Partial<ProductFilter>): URLSearchParams {
  const next = new URLSearchParams(search);
  next.delete("cursor");
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined || value === "") next.delete(name);
    else next.set(name, String(value));
  }
  return next;
}

export const categoryPath = (category: string[]) => category.join(" > ");
export const categoryName = (value: string) => value.split(" > ").pop() ?? value;
export const categoryUrl = (value: string) => `/products?${new URLSearchParams({ category: value }).toString()}`;
