import { Container } from "@mantine/core";
import { isRouteErrorResponse, useRouteError } from "react-router";

import { NotFound } from "@/app/pages/not-found-page";
import { Logo } from "@/app/layout/logo";
import { ErrorView } from "@/components/error-view";
import { unreachable } from "@/lib/api/problem";

/** A page's code that does not load looks like this: a new release or a lost connection. */
const isLostChunk = (error: unknown) =>
  error instanceof TypeError && /dynamically imported module|importing a module/i.test(error.message);

/** The last resort when a page itself broke: words for people, nothing of the inside. */
export function ErrorPage() {
  const error = useRouteError();
  if (isRouteErrorResponse(error) && error.status === 404) return <NotFound />;
  return (
    <Container size="sm" py="xl">
      <Logo />
      <ErrorView
        error={isLostChunk(error) ? unreachable() : error}
        title={isLostChunk(error) ? undefined : "This page stumbled"}
        onRetry={() => {
          window.location.reload();
        }}
      />
    </Container>
  );
}
