import { Anchor, createTheme } from "@mantine/core";

import type { CSSVariablesResolver } from "@mantine/core";

/** Shared with the console: #4338ca on light, #a5b4fc on dark, the same inks and surfaces. */
export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 7, dark: 3 },
  autoContrast: true,
  defaultRadius: "md",
  cursorType: "pointer",
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif',
  headings: {
    fontWeight: "680",
    sizes: {
      h1: { fontSize: "clamp(1.6rem, 1.2rem + 1.6vw, 2.25rem)", lineHeight: "1.15" },
      h2: { fontSize: "clamp(1.3rem, 1.1rem + 0.8vw, 1.65rem)", lineHeight: "1.2" },
      h3: { fontSize: "1.2rem", lineHeight: "1.3" },
      h4: { fontSize: "1.05rem", lineHeight: "1.35" },
    },
  },
  radius: { xs: "0.25rem", sm: "0.4rem", md: "0.6rem", lg: "1rem", xl: "1.5rem" },
  // A link in a sentence must not be told by its colour alone.
  components: {
    Anchor: Anchor.extend({ defaultProps: { underline: "always" } }),
  },
  colors: {
    indigo: [
      "#eef2ff", "#e0e7ff", "#c7d2fe", "#a5b4fc", "#818cf8",
      "#6366f1", "#4f46e5", "#4338ca", "#3730a3", "#312e81",
    ],
    gray: [
      "#f5f6fa", "#eceef5", "#e3e6ef", "#d3d8e5", "#c0c6d6",
      "#8c94a8", "#5a6278", "#474e63", "#2b3146", "#14182b",
    ],
    dark: [
      "#e7eaf3", "#c6cbdb", "#a3abc2", "#8790a9", "#2f3751",
      "#232a42", "#171c2e", "#0e1220", "#0a0d18", "#060810",
    ],
  },
});

/** Mantine's defaults for quiet text and errors miss WCAG AA; these do not. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-text": "#14182b",
    "--mantine-color-dimmed": "#5a6278",
    "--mantine-color-placeholder": "#6b7389",
    "--mantine-color-error": "#b91c1c",
    "--mantine-color-anchor": "#4338ca",
    "--shop-surface": "#f5f6fa",
    "--shop-tile": "#eceef5",
    "--shop-field": "#848ca3",
    "--shop-good": "#15703a",
    "--shop-warn": "#9a4a00",
    "--shop-hero": "linear-gradient(120deg, #eef2ff 0%, #f5f6fa 55%, #e8ecf9 100%)",
  },
  dark: {
    "--mantine-primary-color-contrast": "#14182b",
    "--mantine-color-dimmed": "#a3abc2",
    "--mantine-color-placeholder": "#8790a9",
    "--mantine-color-error": "#fca5a5",
    "--mantine-color-anchor": "#a5b4fc",
    "--shop-surface": "#171c2e",
    "--shop-tile": "#1d2338",
    "--shop-field": "#626d96",
    "--shop-good": "#86efac",
    "--shop-warn": "#fcd34d",
    "--shop-hero": "linear-gradient(120deg, #1b2042 0%, #171c2e 55%, #12172a 100%)",
  },
});
