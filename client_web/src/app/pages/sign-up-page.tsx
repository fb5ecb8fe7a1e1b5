import { Anchor, Text, Title } from "@mantine/core";
import { Link, Navigate, useNavigate, useSearchParams } from "react-router";

import { nextPath } from "@/app/next-path";
import { SignUpForm } from "@/features/account/components/sign-up-form";
import { useUser } from "@/lib/api/use-session";
import { useDocumentTitle } from "@/lib/document-title";

import classes from "@/app/pages/narrow.module.css";

export function SignUpPage() {
  useDocumentTitle("Create an account");
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const user = useUser();
  const next = nextPath(search);
  if (user) return <Navigate to={next} replace />;
  return (
    <div className={classes.narrow}>
      <Title order={1}>Create an account</Title>
      <Text c="dimmed" mb="lg">
        Follow your orders and check out faster.
      </Text>
      <SignUpForm onDone={() => void navigate(next, { replace: true })} />
      <Text mt="lg" size="sm">
        Already have one?{" "}
        <Anchor component={Link} size="sm" to={{ pathname: "/sign-in", search: search.toString() }}>
          Sign in
        </Anchor>
      </Text>
    </div>
  );
}
