import { Button, Stack, Text, Title } from "@mantine/core";
import IconCloudOff from "@tabler/icons-react/icons/IconCloudOff";
import IconMoodSad from "@tabler/icons-react/icons/IconMoodSad";

import { friendlyMessage, Problem } from "@/lib/api/problem";

interface Props {
  error: unknown;
  title?: string;
  onRetry?: () => void;
}

function titleOf(problem: Problem | null): string {
  if (problem?.status === 0) return "We cannot reach the shop";
  return problem && problem.status < 500 ? "That did not work" : "Something went wrong on our side";
}

/** What a shopper sees when something failed: words, a way on, and the id support will ask for. */
export function ErrorView({ error, title, onRetry }: Props) {
  const problem = error instanceof Problem ? error : null;
  const isOutOfReach = problem?.status === 0;
  const Icon = isOutOfReach ? IconCloudOff : IconMoodSad;
  return (
    <Stack align="center" ta="center" gap="xs" py={48} px="md" role="alert">
      <Icon size={40} stroke={1.4} color="var(--mantine-color-dimmed)" aria-hidden />
      <Title order={2} size="h3">
        {title ?? titleOf(problem)}
      </Title>
      <Text c="dimmed" maw={420}>
        {friendlyMessage(error)}
      </Text>
      {onRetry && (
        <Button variant="default" mt="xs" onClick={onRetry}>
          Try again
        </Button>
      )}
      {problem?.correlationId && (
        <Text size="xs" c="dimmed" mt="xs">
          Reference <code>{problem.correlationId}</code>
        </Text>
      )}
    </Stack>
  );
}
