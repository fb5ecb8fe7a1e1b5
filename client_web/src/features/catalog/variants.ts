import type { Variant } from "@/lib/api/types";

export type Selection = Record<string, string>;

export interface OptionValue {
  value: string;
  isAvailable: boolean;
}

export interface OptionGroup {
  name: string;
  values: OptionValue[];
}

const SIZES = ["XXS", "XS", "S", "M", "L", "XL", "2XL", "XXL", "3XL", "4XL", "short", "standard", "long"];
/** What a shopper chooses first; sizes depend on it. */
const NAMES = ["colour", "metal", "material", "size", "size_us", "length"];

const rank = (list: string[], item: string) => {
  const at = list.indexOf(item);
  return at < 0 ? list.length : at;
};

export const sortOptionNames = (names: string[]) => names.sort((a, b) => rank(NAMES, a) - rank(NAMES, b));

export function optionNames(variants: Variant[]): string[] {
  return sortOptionNames([...new Set(variants.flatMap((variant) => Object.keys(variant.options)))]);
}

const IN_ORDER = new Intl.Collator("en", { numeric: true });

/** Sizes from small to large, letters before numbers; other values as they come. */
export function sortValues(values: string[]): string[] {
  const isSized = values.every((value) => /\d$/.test(value)) || values.some((value) => SIZES.includes(value));
  if (!isSized) return values;
  return values.sort((a, b) => rank(SIZES, a) - rank(SIZES, b) || IN_ORDER.compare(a, b));
}

const matches = (variant: Variant, selection: Selection) =>
  Object.entries(selection).every(([name, value]) => variant.options[name] === value);

/**
 * The pickers of a product. A value is available if some variant in stock has it together with
 * what is chosen in the groups *before* it, so that no choice can lock another one out for good.
 */
export function optionGroups(variants: Variant[], selection: Selection): OptionGroup[] {
  const names = optionNames(variants);
  return names.map((name, index) => {
    const before: Selection = {};
    for (const earlier of names.slice(0, index)) {
      const chosen = selection[earlier];
      if (chosen !== undefined) before[earlier] = chosen;
    }
    const values = new Set(
      variants.map((variant) => variant.options[name]).filter((value) => value !== undefined),
    );
    return {
      name,
      values: sortValues([...values]).map((value) => ({
        value,
        isAvailable: variants.some(
          (variant) => variant.available > 0 && matches(variant, { ...before, [name]: value }),
        ),
      })),
    };
  });
}

/** Choosing a value drops later choices it rules out. */
export function choose(
  variants: Variant[],
  selection: Selection,
  name: string,
  value: string,
): Selection {
  const next: Selection = { ...selection, [name]: value };
  for (const group of optionGroups(variants, next)) {
    const chosen = next[group.name];
    const isStillGood = group.values.some((option) => option.value === chosen && option.isAvailable);
    if (chosen !== undefined && group.name !== name && !isStillGood) {
      // Not `delete`: the key order does not matter, and the linter dislikes computed deletes.
      Reflect.deleteProperty(next, group.name);
    }
  }
  return next;
}

/** Where a shopper starts: the first colour in stock, and whatever leaves no choice. */
export function initialSelection(variants: Variant[]): Selection {
  let selection: Selection = {};
  for (const [index, name] of optionNames(variants).entries()) {
    const group = optionGroups(variants, selection)[index];
    const first = group?.values.find((option) => option.isAvailable) ?? group?.values[0];
    if (group && first && (group.values.length === 1 || index === 0)) {
      selection = { ...selection, [name]: first.value };
    }
  }
  return selection;
}

/** The one variant the selection names, if it is complete. */
export function findVariant(variants: Variant[], selection: Selection): Variant | null {
  const isComplete = optionNames(variants).every((name) => selection[name] !== undefined);
  return isComplete ? (variants.find((variant) => matches(variant, selection)) ?? null) : null;
}

/** The prices the selection still allows, for "from £x". */
export function priceRange(variants: Variant[], selection: Selection) {
  const open = variants.filter((variant) => matches(variant, selection));
  const sorted = [...(open.length > 0 ? open : variants)].sort(
    (a, b) => a.price.amount_minor - b.price.amount_minor,
  );
  const [low, high] = [sorted[0]?.price, sorted.at(-1)?.price];
  return low && high ? { low, isRange: low.amount_minor !== high.amount_minor } : null;
}
