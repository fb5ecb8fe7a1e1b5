import { zodResolver } from "@hookform/resolvers/zod";
import { Alert, Button, PasswordInput, Stack } from "@mantine/core";
import { useForm } from "react-hook-form";
import { z } from "zod";

import { useResetPassword } from "@/features/account/api/password";
import { NewPassword } from "@/features/account/new-password";
import { friendlyMessage } from "@/lib/api/problem";
import { showFieldErrors } from "@/lib/form-errors";

const Reset = z.object({ new_password: NewPassword });
type ResetValues = z.infer<typeof Reset>;

/** Chooses a new password with the `code` of a letter. */
export function ResetForm({ code, onDone }: { code: string; onDone: () => void }) {
  const reset = useResetPassword();
  const { register, handleSubmit, formState, setError } = useForm<ResetValues>({
    resolver: zodResolver(Reset),
    defaultValues: { new_password: "" },
  });
  const fault = formState.errors.new_password?.message;
  return (
    <form
      noValidate
      aria-label="Choose a new password"
      onSubmit={(event) =>
        void handleSubmit((values) => {
          reset.mutate(
            { code, ...values },
            {
              onSuccess: onDone,
              onError: (error) => showFieldErrors(error, ["new_password"], setError),
            },
          );
        })(event)
      }
    >
      <Stack>
        {reset.isError && !fault && (
          <Alert color="red" role="alert">
            {friendlyMessage(reset.error)}
          </Alert>
        )}
        <PasswordInput
          label="New password"
          visibilityToggleButtonProps={{ "aria-label": "Show or hide what you typed" }}
          description="At least 10 characters"
          size="md"
          autoComplete="new-password"
          error={fault}
          {...register("new_password")}
        />
        <Button type="submit" size="md" loading={reset.isPending}>
          Set password
        </Button>
      </Stack>
    </form>
  );
}
