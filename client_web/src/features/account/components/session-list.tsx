import { Badge, Button, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { ErrorView } from "@/components/error-view";
import { sessionsOptions, useEndSession } from "@/features/account/api/sessions";
import { useSignOutEverywhere } from "@/features/account/api/sign-out";
import { friendlyMessage } from "@/lib/api/problem";
import { formatMoment } from "@/lib/format-date";
import { notify } from "@/lib/notices";

import type { SignIn } from "@/lib/api/types";

import classes from "@/features/account/components/session-list.module.css";

function SessionRow({ session }: { session: SignIn }) {
  const end = useEndSession();
  const device = session.device || "Unknown device";
  return (
    <li className={classes.session}>
      <div>
        <Text fw={600}>{device}</Text>
        <Text size="sm" c="dimmed">
          Signed in {formatMoment(session.started_at)}
        </Text>
      </div>
      {session.is_current ? (
        <Badge variant="light">This device</Badge>
      ) : (
        <Button
          size="compact-sm"
          variant="default"
          loading={end.isPending}
          aria-label={`Sign out ${device}, signed in ${formatMoment(session.started_at)}`}
          onClick={() => {
            end.mutate(session.session_id, {
              onSuccess: () => {
                notify("That device is signed out.");
              },
              onError: (error) => {
                notify(friendlyMessage(error));
              },
            });
          }}
        >
          Sign out
        </Button>
      )}
    </li>
  );
}

/** Where the shopper is signed in. */
export function SessionList() {
  const sessions = useQuery(sessionsOptions());
  const everywhere = useSignOutEverywhere(() => {
    notify("You are signed out on every device.");
  });
  if (sessions.isPending) return <Skeleton height={70} radius="lg" />;
  if (sessions.isError) {
    return <ErrorView error={sessions.error} onRetry={() => void sessions.refetch()} />;
  }
  return (
    <Stack gap="sm">
      <ul className={classes.list}>
        {sessions.data.items.map((session) => (
          <SessionRow key={session.session_id} session={session} />
        ))}
      </ul>
      <Button
        variant="default"
        w="fit-content"
        loading={everywhere.isPending}
        onClick={() => {
          everywhere.mutate(undefined, {
            onError: (error) => {
              notify(friendlyMessage(error));
            },
          });
        }}
      >
        Sign out everywhere
      </Button>
    </Stack>
  );
}
