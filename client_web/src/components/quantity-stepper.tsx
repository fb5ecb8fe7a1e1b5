import IconMinus from "@tabler/icons-react/icons/IconMinus";
import IconPlus from "@tabler/icons-react/icons/IconPlus";

import classes from "@/components/quantity-stepper.module.css";

interface Props {
  label: string;
  value: number;
  min?: number;
  max: number;
  isDisabled?: boolean;
  onChange: (quantity: number) => void;
}

export function QuantityStepper({ label, value, min = 1, max, isDisabled = false, onChange }: Props) {
  return (
    <div className={classes.stepper} role="group" aria-label={`Quantity of ${label}`}>
      <button
        type="button"
        aria-label={`One less ${label}`}
        disabled={isDisabled || value <= min}
        onClick={() => {
          onChange(value - 1);
        }}
      >
        <IconMinus size={16} aria-hidden />
      </button>
      <output aria-live="off">{value}</output>
      <button
        type="button"
        aria-label={`One more ${label}`}
        disabled={isDisabled || value >= max}
        onClick={() => {
          onChange(value + 1);
        }}
      >
        <IconPlus size={16} aria-hidden />
      </button>
    </div>
  );
}
