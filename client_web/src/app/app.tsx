import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "react-router";

import { cssVariables, theme } from "@/app/theme";

import type { QueryClient } from "@tanstack/react-query";
import type { ComponentProps } from "react";

interface Props {
  router: ComponentProps<typeof RouterProvider>["router"];
  queryClient: QueryClient;
}

export function App({ router, queryClient }: Props) {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
