import { zodResolver } from "@hookform/resolvers/zod";
import { Alert, Button, PasswordInput, Stack } from "@mantine/core";
import { useForm } from "react-hook-form";
import { z } from "zod";

import { useChangePassword } from "@/features/account/api/password";
import { NewPassword } from "@/features/account/new-password";
import { friendlyMessage } from "@/lib/api/problem";
import { showFieldErrors } from "@/lib/form-errors";
import { notify } from "@/lib/notices";

const Change = z.object({
  current_password: z.string().min(1, "Enter the password you have now"),
  new_password: NewPassword,
});
type ChangeValues = z.infer<typeof Change>;
const EMPTY: ChangeValues = { current_password: "", new_password: "" };

export function ChangePasswordForm({ email }: { email: string }) {
  const change = useChangePassword();
  const { register, handleSubmit, formState, setError, reset } = useForm<ChangeValues>({
    resolver: zodResolver(Change),
    defaultValues: EMPTY,
  });
  const isBesideField = Object.keys(formState.errors).length > 0;
  return (
    <form
      noValidate
      aria-label="Change your password"
      onSubmit={(event) =>
        void handleSubmit((values) => {
          change.mutate(values, {
            onSuccess: () => {
              reset(EMPTY);
              notify("Your password is changed. Other devices are signed out.");
            },
            onError: (error) => showFieldErrors(error, ["current_password", "new_password"], setError),
          });
        })(event)
      }
    >
      <Stack maw="26rem">
        {change.isError && !isBesideField && (
          <Alert color="red" role="alert">
            {friendlyMessage(change.error)}
          </Alert>
        )}
        {/* For password managers: whose password it is. */}
        <input type="email" aria-label="E-mail" autoComplete="username" value={email} readOnly hidden />
        <PasswordInput
          label="Current password"
          visibilityToggleButtonProps={{ "aria-label": "Show or hide what you typed" }}
          size="md"
          autoComplete="current-password"
          error={formState.errors.current_password?.message}
          {...register("current_password")}
        />
        <PasswordInput
          label="New password"
          visibilityToggleButtonProps={{ "aria-label": "Show or hide what you typed" }}
          description="At least 10 characters"
          size="md"
          autoComplete="new-password"
          error={formState.errors.new_password?.message}
          {...register("new_password")}
        />
        <Button type="submit" variant="default" w="fit-content" loading={change.isPending}>
          Change password
        </Button>
      </Stack>
    </form>
  );
}
