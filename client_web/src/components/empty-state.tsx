import { Stack, Text, Title } from "@mantine/core";

import type { ReactNode } from "react";

interface Props {
  icon: ReactNode;
  title: string;
  /** 1 when it is all there is on the page. */
  order?: 1 | 2;
  children?: ReactNode;
  action?: ReactNode;
}

export function EmptyState({ icon, title, order = 1, children, action }: Props) {
  return (
    <Stack align="center" ta="center" gap="xs" py={64} px="md">
      {icon}
      <Title order={order} size="h3">
        {title}
      </Title>
      <Text component="div" c="dimmed" maw={440}>
        {children}
      </Text>
      {action}
    </Stack>
  );
}
