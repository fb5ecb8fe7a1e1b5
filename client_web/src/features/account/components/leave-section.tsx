import { Alert, Button, Group, Paper, PasswordInput, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useForm } from "react-hook-form";

import { useExport } from "@/features/account/api/export";
import { useDeleteAccount } from "@/features/account/api/sign-out";
import { friendlyMessage } from "@/lib/api/problem";
import { showFieldErrors } from "@/lib/form-errors";
import { notify } from "@/lib/notices";

interface Confirmation {
  password: string;
}

interface DeleteProps {
  onDone: () => void;
  onCancel: () => void;
}

function DeleteForm({ onDone, onCancel }: DeleteProps) {
  const remove = useDeleteAccount(onDone);
  const { register, handleSubmit, formState, setError } = useForm<Confirmation>({
    defaultValues: { password: "" },
  });
  const fault = formState.errors.password?.message;
  return (
    <Paper withBorder p="md" radius="lg" maw="30rem">
      <form
        noValidate
        aria-label="Delete your account"
        onSubmit={(event) =>
          void handleSubmit(({ password }) => {
            remove.mutate(password, {
              onError: (error) => showFieldErrors(error, ["password"], setError),
            });
          })(event)
        }
      >
        <Stack gap="sm">
          {remove.isError && !fault && (
            <Alert color="red" role="alert">
              {friendlyMessage(remove.error)}
            </Alert>
          )}
          <Text size="sm">
            There is no way back. Your profile, addresses and sign-ins are erased. Orders stay in our
            books without your name, address and e-mail; those under way keep their address until they
            have arrived.
          </Text>
          <PasswordInput
            label="Your password"
            visibilityToggleButtonProps={{ "aria-label": "Show or hide what you typed" }}
            size="md"
            autoComplete="current-password"
            error={fault}
            {...register("password", { required: "Enter your password" })}
          />
          <Group gap="sm">
            <Button type="submit" color="red.9" loading={remove.isPending}>
              Delete for good
            </Button>
            <Button variant="subtle" color="gray" c="var(--mantine-color-text)" onClick={onCancel}>
              Keep my account
            </Button>
          </Group>
        </Stack>
      </form>
    </Paper>
  );
}

interface Props {
  canDelete: boolean;
  /** Called as a guest: the account is no more. */
  onDeleted: () => void;
}

/** Take one's data along, and leave. */
export function LeaveSection({ canDelete, onDeleted }: Props) {
  const [isLeaving, setLeaving] = useState(false);
  const download = useExport();
  return (
    <Stack gap="md">
      <Text size="sm" c="dimmed">
        Your profile, addresses, sign-ins and orders, as one file that other programs can read.
      </Text>
      <Group gap="sm">
        <Button
          variant="default"
          loading={download.isPending}
          onClick={() => {
            download.mutate(undefined, {
              onError: (error) => {
                notify(friendlyMessage(error));
              },
            });
          }}
        >
          Download my data
        </Button>
        {canDelete && !isLeaving && (
          <Button
            variant="subtle"
            color="red"
            c="var(--mantine-color-error)"
            onClick={() => {
              setLeaving(true);
            }}
          >
            Delete my account
          </Button>
        )}
      </Group>
      {isLeaving && (
        <DeleteForm
          onDone={onDeleted}
          onCancel={() => {
            setLeaving(false);
          }}
        />
      )}
    </Stack>
  );
}
