import { Anchor, Text, Title } from "@mantine/core";
import { Link } from "react-router";

import { ForgotForm } from "@/features/account/components/forgot-form";
import { useDocumentTitle } from "@/lib/document-title";

import classes from "@/app/pages/narrow.module.css";

export function ForgotPasswordPage() {
  useDocumentTitle("Forgotten password");
  return (
    <div className={classes.narrow}>
      <Title order={1}>Forgotten your password?</Title>
      <Text c="dimmed" mb="lg">
        Tell us your e-mail address, and we send you a link to choose a new one.
      </Text>
      <ForgotForm />
      <Text mt="lg" size="sm">
        Remembered it?{" "}
        <Anchor component={Link} size="sm" to="/sign-in">
          Sign in
        </Anchor>
      </Text>
    </div>
  );
}
