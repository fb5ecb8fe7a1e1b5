import classes from "@/components/choice-cards.module.css";

import type { UseFormRegisterReturn } from "react-hook-form";

interface Choice {
  value: string;
  label: string;
  hint: string;
}

interface Props {
  legend: string;
  choices: readonly Choice[];
  field: UseFormRegisterReturn;
}

export function ChoiceCards({ legend, choices, field }: Props) {
  return (
    <fieldset className={classes.group}>
      <legend className="visually-hidden">{legend}</legend>
      {choices.map((choice) => (
        <label key={choice.value} className={classes.card}>
          <input type="radio" value={choice.value} {...field} />
          <span>
            <b>{choice.label}</b>
            <small>{choice.hint}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
