const LABELS: Record<string, string> = { colour: "Colour", size: "Size", size_us: "Size (US)", metal: "Metal" };

export const optionLabel = (name: string) =>
  LABELS[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

export const optionsText = (options: Record<string, string>) =>
  Object.values(options).map(capital).join(" · ");
export const optionValueText = capital;
