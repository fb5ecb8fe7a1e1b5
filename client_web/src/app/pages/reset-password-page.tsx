import { Anchor, Text, Title } from "@mantine/core";
import { Link, useLocation, useNavigate } from "react-router";

import { ResetForm } from "@/features/account/components/reset-form";
import { useDocumentTitle } from "@/lib/document-title";
import { notify } from "@/lib/notices";

import classes from "@/app/pages/narrow.module.css";

/** Behind the link of a letter; the code is the part after `#`, which no server sees. */
export function ResetPasswordPage() {
  useDocumentTitle("Choose a new password");
  const { hash } = useLocation();
  const navigate = useNavigate();
  return (
    <div className={classes.narrow}>
      <Title order={1}>Choose a new password</Title>
      <Text c="dimmed" mb="lg">
        You are then signed out on every device.
      </Text>
      <ResetForm
        code={hash.slice(1)}
        onDone={() => {
          notify("Your password is set. Sign in with it.");
          void navigate("/sign-in", { replace: true });
        }}
      />
      <Text mt="lg" size="sm">
        Is the link too old?{" "}
        <Anchor component={Link} size="sm" to="/forgot-password">
          Ask for another
        </Anchor>
      </Text>
    </div>
  );
}
