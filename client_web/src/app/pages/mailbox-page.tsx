import { Button, Skeleton, Text, Title } from "@mantine/core";
import IconMailbox from "@tabler/icons-react/icons/IconMailbox";
import { useInfiniteQuery } from "@tanstack/react-query";

import { NotFound } from "@/app/pages/not-found-page";
import { EmptyState } from "@/components/empty-state";
import { ErrorView } from "@/components/error-view";
import { lettersOptions } from "@/features/account/api/letters";
import { LetterList } from "@/features/account/components/letter-list";
import { Problem } from "@/lib/api/problem";
import { useDocumentTitle } from "@/lib/document-title";

import classes from "@/app/pages/narrow.module.css";

/** For developers: what the shop would have sent by e-mail. Shops with customers have no such page. */
export function MailboxPage() {
  useDocumentTitle("Mailbox");
  const letters = useInfiniteQuery(lettersOptions());
  if (letters.error instanceof Problem && letters.error.status === 404) return <NotFound />;
  const items = letters.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className={classes.letters}>
      <Title order={1}>Mailbox</Title>
      <Text c="dimmed" mb="lg">
        Every letter this shop has sent in the last week. It runs on a developer’s machine, so letters
        stay here instead of going out.
      </Text>
      {letters.isPending && <Skeleton height={140} radius="lg" aria-hidden="true" />}
      {letters.isError && <ErrorView error={letters.error} onRetry={() => void letters.refetch()} />}
      {letters.data && items.length === 0 && (
        <EmptyState
          icon={<IconMailbox size={44} stroke={1.4} color="var(--mantine-color-dimmed)" aria-hidden />}
          order={2}
          title="No letters yet"
        >
          Open an account, and the first one comes in.
        </EmptyState>
      )}
      <LetterList letters={items} />
      {letters.hasNextPage && (
        <Button
          variant="default"
          mt="md"
          loading={letters.isFetchingNextPage}
          onClick={() => void letters.fetchNextPage()}
        >
          Older letters
        </Button>
      )}
    </div>
  );
}
