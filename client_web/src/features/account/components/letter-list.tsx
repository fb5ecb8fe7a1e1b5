import { Anchor, Paper, Stack, Text, Title } from "@mantine/core";
import { Link } from "react-router";

import { formatMoment } from "@/lib/format-date";

import type { Letter } from "@/lib/api/types";

/** Within this shop, wherever it is open: a letter's link may name another of its addresses. */
function pathOf(link: string): string {
  const { pathname, search, hash } = new URL(link);
  return pathname + search + hash;
}

export function LetterList({ letters }: { letters: Letter[] }) {
  if (letters.length === 0) return null;
  return (
    <Stack component="ul" p={0} m={0} style={{ listStyle: "none" }}>
      {letters.map((letter) => (
        <Paper component="li" key={letter.letter_id} withBorder p="md" radius="lg">
          <Title order={2} size="h4">
            {letter.subject}
          </Title>
          <Text size="sm" c="dimmed" mb="sm" style={{ overflowWrap: "anywhere" }}>
            To {letter.to} · {formatMoment(letter.sent_at)}
          </Text>
          <Text style={{ whiteSpace: "pre-line" }}>{letter.text}</Text>
          {letter.link && (
            <Anchor component={Link} to={pathOf(letter.link)} mt="sm" display="inline-block" fw={600}>
              {letter.action}
            </Anchor>
          )}
        </Paper>
      ))}
    </Stack>
  );
}
