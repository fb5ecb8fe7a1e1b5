import { Alert, Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "react-hook-form";

import { useSignIn } from "@/features/account/api/sign-in";
import { friendlyMessage, Problem } from "@/lib/api/problem";

import type { Credentials } from "@/lib/api/types";

const messageOf = (error: unknown) =>
  error instanceof Problem && error.status === 401
    ? "That e-mail and password do not match. Please check both."
    : friendlyMessage(error);

export function SignInForm({ onDone }: { onDone: () => void }) {
  const signIn = useSignIn();
  const { register, handleSubmit, formState } = useForm<Credentials>();
  return (
    <form
      noValidate
      aria-label="Sign in"
      onSubmit={(event) =>
        void handleSubmit((values) => {
          signIn.mutate(values, { onSuccess: onDone });
        })(event)
      }
    >
      <Stack>
        {signIn.isError && (
          <Alert color="red" role="alert">
            {messageOf(signIn.error)}
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
        <PasswordInput
          label="Password"
          visibilityToggleButtonProps={{ "aria-label": "Show or hide what you typed" }}
          size="md"
          autoComplete="current-password"
          error={formState.errors.password?.message}
          {...register("password", { required: "Enter your password" })}
        />
        <Button type="submit" size="md" loading={signIn.isPending}>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}
