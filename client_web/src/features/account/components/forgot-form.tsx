import { Alert, Button, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "react-hook-form";

import { useAskForReset } from "@/features/account/api/password";
import { friendlyMessage } from "@/lib/api/problem";

export function ForgotForm() {
  const ask = useAskForReset();
  const { register, handleSubmit, formState } = useForm<{ email: string }>();
  if (ask.isSuccess) {
    return (
      <Alert variant="light" color="indigo" role="status" title="Look into your mailbox">
        <Text size="sm">
          If there is an account for {ask.variables}, a letter with a link is on its way. The link is
          good for 30 minutes.
        </Text>
      </Alert>
    );
  }
  return (
    <form
      noValidate
      aria-label="Forgotten password"
      onSubmit={(event) =>
        void handleSubmit(({ email }) => {
          ask.mutate(email.trim());
        })(event)
      }
    >
      <Stack>
        {ask.isError && (
          <Alert color="red" role="alert">
            {friendlyMessage(ask.error)}
          </Alert>
        )}
        <TextInput
          label="E-mail"
          type="email"
          size="md"
          autoComplete="username"
          error={formState.errors.email?.message}
          {...register("email", { required: "Enter your e-mail address" })}
        />
        <Button type="submit" size="md" loading={ask.isPending}>
          Send me a link
        </Button>
      </Stack>
    </form>
  );
}
