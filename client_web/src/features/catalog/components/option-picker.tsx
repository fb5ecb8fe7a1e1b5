import { useId } from "react";

import { choose, optionGroups } from "@/features/catalog/variants";
import { optionLabel, optionValueText } from "@/lib/options-text";

import type { Selection } from "@/features/catalog/variants";
import type { Variant } from "@/lib/api/types";

import classes from "@/features/catalog/components/option-picker.module.css";

interface Props {
  variants: Variant[];
  selection: Selection;
  /** The group the shopper forgot, if any. */
  missing?: string | null;
  onChange: (selection: Selection) => void;
}

const SWATCHES: Record<string, string> = {
  black: "#16181d", white: "#ffffff", beige: "#d9c7a7", navy: "#1f2f56", pink: "#eaa5bb",
  green: "#3f7d58", silver: "#c4c8cf", "gold plated": "#d4af37", "rose gold plated": "#d99a8b",
  "platinum plated": "#a9b3bd", red: "#b3261e", blue: "#2f6fd0", grey: "#8a8f98", brown: "#77513a",
};

/** Native radio buttons, drawn as chips: arrow keys and screen readers work as people expect. */
export function OptionPicker({ variants, selection, missing, onChange }: Props) {
  const id = useId();
  return (
    <>
      {optionGroups(variants, selection).map((group) => {
        const chosen = selection[group.name];
        const hintId = `${id}-${group.name}-hint`;
        return (
          <fieldset
            key={group.name}
            className={classes.group}
            aria-describedby={missing === group.name ? hintId : undefined}
          >
            <legend>
              {optionLabel(group.name)}
              {chosen !== undefined && <span>: {optionValueText(chosen)}</span>}
            </legend>
            <div className={classes.chips}>
              {group.values.map(({ value, isAvailable }) => {
                const swatch = SWATCHES[value.toLowerCase()];
                return (
                  <label key={value} className={classes.chip} data-off={!isAvailable || undefined}>
                    <input
                      type="radio"
                      name={`${id}-${group.name}`}
                      value={value}
                      checked={chosen === value}
                      disabled={!isAvailable}
                      onChange={() => {
                        onChange(choose(variants, selection, group.name, value));
                      }}
                    />
                    {swatch && group.name !== "size" && (
                      <i style={{ background: swatch }} aria-hidden="true" />
                    )}
                    {optionValueText(value)}
                    {!isAvailable && <span className="visually-hidden"> (sold out)</span>}
                  </label>
                );
              })}
            </div>
            {missing === group.name && (
              <p className={classes.hint} id={hintId} role="alert">
                Please choose a {optionLabel(group.name).toLowerCase()}.
              </p>
            )}
          </fieldset>
        );
      })}
    </>
  );
}
