import { Anchor, Text, Title } from "@mantine/core";
import { Link, Navigate, useNavigate, useSearchParams } from "react-router";

import { nextPath } from "@/app/next-path";
import { SignInForm } from "@/features/account/components/sign-in-form";
import { useUser } from "@/lib/api/use-session";
import { useDocumentTitle } from "@/lib/document-title";

import classes from "@/app/pages/narrow.module.css";

export function SignInPage() {
  useDocumentTitle("Sign in");
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const user = useUser();
  const next = nextPath(search);
  if (user) return <Navigate to={next} replace />;
  return (
    <div className={classes.narrow}>
      <Title order={1}>Sign in</Title>
      <Text c="dimmed" mb="lg">
        What is in your cart comes with you.
      </Text>
      <SignInForm onDone={() => void navigate(next, { replace: true })} />
      <Text mt="lg" size="sm">
        <Anchor component={Link} size="sm" to="/forgot-password">
          Forgotten your password?
        </Anchor>
      </Text>
      <Text mt="xs" size="sm">
        New here?{" "}
        <Anchor component={Link} size="sm" to={{ pathname: "/sign-up", search: search.toString() }}>
          Create an account
        </Anchor>
      </Text>
    </div>
  );
}
