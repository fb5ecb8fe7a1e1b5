import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const FEATURES = ["account", "cart", "catalog", "checkout", "consent", "orders"];

/** Imports go one way: lib, components -> features -> app; a feature never imports another. */
const direction = (files, patterns) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns }] },
});
const noParents = { group: ["../*"], message: "Import with @/ instead of climbing." };

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "src/lib/api/schema/", "coverage/"] },
  ...tseslint.configs.strict,
  jsxA11y.flatConfigs.recommended,
  reactHooks.configs.flat["recommended-latest"],
  {
    files: ["**/*.{ts,tsx}"],
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "no-console": "error",
      eqeqeq: "error",
    },
  },
  direction(["src/app/**", "src/testing/**"], [noParents]),
  direction(
    ["src/lib/**", "src/components/**"],
    [noParents, { group: ["@/features/*", "@/app/*"], message: "Shared code knows no feature." }],
  ),
  direction(
    ["src/lib/**"],
    [noParents, { group: ["@/features/*", "@/app/*", "@/components/*"], message: "lib is the base." }],
  ),
  ...FEATURES.map((own) =>
    direction(
      [`src/features/${own}/**`],
      [
        noParents,
        { group: ["@/app/*"], message: "Features do not know the app." },
        {
          group: FEATURES.filter((other) => other !== own).map((other) => `@/features/${other}/*`),
          message: "Features do not import features; compose them in app/.",
        },
      ],
    ),
  ),
);
