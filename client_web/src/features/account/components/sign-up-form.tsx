import { zodResolver } from "@hookform/resolvers/zod";
import { Alert, Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "react-hook-form";
import { z } from "zod";

import { useSignUp } from "@/features/account/api/sign-in";
import { NewPassword } from "@/features/account/new-password";
import { friendlyMessage, Problem } from "@/lib/api/problem";
import { showFieldErrors } from "@/lib/form-errors";

const NewAccount = z.object({
  name: z.string().trim().min(1, "Tell us your name").max(100),
  email: z.email("Enter an e-mail address, like name@example.com"),
  password: NewPassword,
});
type NewAccountValues = z.infer<typeof NewAccount>;

const messageOf = (error: unknown) =>
  error instanceof Problem && error.status === 409
    ? "There is already an account with this e-mail. Try to sign in instead."
    : friendlyMessage(error);

export function SignUpForm({ onDone }: { onDone: () => void }) {
  const signUp = useSignUp();
  const { register, handleSubmit, formState, setError } = useForm<NewAccountValues>({
    resolver: zodResolver(NewAccount),
    defaultValues: { name: "", email: "", password: "" },
  });

  return (
    <form
      noValidate
      aria-label="Create an account"
      onSubmit={(event) =>
        void handleSubmit((values) => {
          signUp.mutate(values, {
            onSuccess: onDone,
            onError: (error) => showFieldErrors(error, ["name", "email", "password"], setError),
          });
        })(event)
      }
    >
      <Stack>
        {signUp.isError && (
          <Alert color="red" role="alert">
            {messageOf(signUp.error)}
          </Alert>
        )}
        <TextInput
          label="Name"
          size="md"
          autoComplete="name"
          error={formState.errors.name?.message}
          {...register("name")}
        />
        <TextInput
          label="E-mail"
          type="email"
          size="md"
          autoComplete="email"
          error={formState.errors.email?.message}
          {...register("email")}
        />
        <PasswordInput
          label="Password"
          visibilityToggleButtonProps={{ "aria-label": "Show or hide what you typed" }}
          description="At least 10 characters"
          size="md"
          autoComplete="new-password"
          error={formState.errors.password?.message}
          {...register("password")}
        />
        <Button type="submit" size="md" loading={signUp.isPending}>
          Create account
        </Button>
      </Stack>
    </form>
  );
}
