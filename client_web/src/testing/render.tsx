import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import axe from "axe-core";
import { createMemoryRouter, RouterProvider } from "react-router";

import { routes } from "@/app/router";
import { cssVariables, theme } from "@/app/theme";
import { buildQueryClient } from "@/lib/api/query-client";

import type { ReactElement } from "react";

function withProviders(children: ReactElement) {
  const client = buildQueryClient();
  client.setDefaultOptions({ queries: { ...client.getDefaultOptions().queries, retry: false } });
  return render(
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} env="test">
      <QueryClientProvider client={client}>{children}</QueryClientProvider>
    </MantineProvider>,
  );
}

/** The whole shop, opened at a path. */
export function renderAt(path: string) {
  const router = createMemoryRouter(routes, { initialEntries: [path] });
  return { router, ...withProviders(<RouterProvider router={router} />) };
}

/** One component, with a router around it for its links. */
export function renderPart(part: ReactElement) {
  const router = createMemoryRouter([{ path: "*", element: part }]);
  return withProviders(<RouterProvider router={router} />);
}

/** Accessibility faults axe finds; colours need a real browser and are left out. */
export async function axeFaults(container: Element): Promise<string[]> {
  const { violations } = await axe.run(container, { rules: { "color-contrast": { enabled: false } } });
  return violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" ")}`);
}
