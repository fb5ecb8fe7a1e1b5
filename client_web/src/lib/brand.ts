/** The shop's name and promise, in one place. */
export const BRAND = {
  name: "Alder & Ash",
  claim: "Made for weather. Worn for years.",
} as const;
