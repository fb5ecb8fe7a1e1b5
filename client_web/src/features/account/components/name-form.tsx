import { Alert, Button, Group, TextInput } from "@mantine/core";
import { useState } from "react";

import { useUpdateName } from "@/features/account/api/update-name";
import { friendlyMessage } from "@/lib/api/problem";
import { notify } from "@/lib/notices";

export function NameForm({ name }: { name: string }) {
  const [value, setValue] = useState(name);
  const update = useUpdateName();
  const trimmed = value.trim();
  return (
    <form
      aria-label="Your name"
      onSubmit={(event) => {
        event.preventDefault();
        update.mutate(trimmed, {
          onSuccess: () => {
            notify("Your name is saved.");
          },
        });
      }}
    >
      {update.isError && (
        <Alert color="red" role="alert" mb="sm">
          {friendlyMessage(update.error)}
        </Alert>
      )}
      <Group align="end" gap="sm" wrap="nowrap">
        <TextInput
          label="Name"
          size="md"
          flex={1}
          maxLength={100}
          autoComplete="name"
          value={value}
          onChange={(event) => {
            setValue(event.target.value);
          }}
        />
        <Button
          type="submit"
          size="md"
          variant="default"
          disabled={!trimmed || trimmed === name}
          loading={update.isPending}
        >
          Save
        </Button>
      </Group>
    </form>
  );
}
