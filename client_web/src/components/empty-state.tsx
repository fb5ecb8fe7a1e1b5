import { Stack, Text, Title } from "@mantine/core";

import type { ReactNode } from "react";

interface Props {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

export function EmptyState({ icon, title, children, action }: Props) {
  return (
    <Stack align="center" ta="center" gap="xs" py={64} px="md">
      {icon}
      <Title order={2} size="h3">
        {title}
      </Title>
      <Text component="div" c="dimmed" maw={440}>
        {children}
      </Text>
      {action}
    </Stack>
  );
}
