import { Alert, Button, Group, Text } from "@mantine/core";
import IconMail from "@tabler/icons-react/icons/IconMail";

import { useSendVerification } from "@/features/account/api/verification";
import { friendlyMessage, Problem } from "@/lib/api/problem";

const messageOf = (error: unknown) =>
  error instanceof Problem && error.status === 429
    ? "You had several letters already. Look among the unwanted ones, or try again later."
    : friendlyMessage(error);

/** Asks for the one thing a new account still lacks; it stands in nobody's way. */
export function VerifyBanner({ email }: { email: string }) {
  const send = useSendVerification();
  return (
    <Alert
      variant="light"
      color="indigo"
      title="Please confirm your e-mail address"
      icon={<IconMail size={20} stroke={1.6} aria-hidden />}
    >
      <Text size="sm" mb="sm">
        We have sent a link to {email}, so that letters about your orders and your password reach you.
      </Text>
      <Group gap="sm" role="status">
        {send.isSuccess ? (
          <Text size="sm" fw={600}>
            Another letter is on its way.
          </Text>
        ) : (
          <Button
            size="compact-sm"
            variant="default"
            loading={send.isPending}
            onClick={() => {
              send.mutate();
            }}
          >
            Send it again
          </Button>
        )}
        {send.isError && <Text size="sm">{messageOf(send.error)}</Text>}
      </Group>
    </Alert>
  );
}
