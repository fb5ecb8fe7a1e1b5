import { Alert, Button, Text, Title } from "@mantine/core";
import { Link, useLocation } from "react-router";

import { useConfirmEmail } from "@/features/account/api/verification";
import { friendlyMessage } from "@/lib/api/problem";
import { useUser } from "@/lib/api/use-session";
import { useDocumentTitle } from "@/lib/document-title";

import classes from "@/app/pages/narrow.module.css";

/**
 * Behind the link of a letter. It asks for a click: programs that look into letters open their
 * links, too, and must not confirm anything.
 */
export function VerifyPage() {
  useDocumentTitle("Confirm your address");
  const { hash } = useLocation();
  const confirm = useConfirmEmail();
  const user = useUser();
  if (confirm.isSuccess) {
    return (
      <div className={classes.narrow}>
        <Title order={1}>Thank you</Title>
        <Text c="dimmed" mb="lg" role="status">
          Your e-mail address is confirmed.
        </Text>
        <Button component={Link} to={user ? "/account" : "/products"} size="md">
          {user ? "To my account" : "Browse the shop"}
        </Button>
      </div>
    );
  }
  return (
    <div className={classes.narrow}>
      <Title order={1}>Is this your address?</Title>
      <Text c="dimmed" mb="lg">
        Confirm that the letter reached you.
      </Text>
      {confirm.isError && (
        <Alert color="red" role="alert" mb="md">
          {friendlyMessage(confirm.error)}
        </Alert>
      )}
      <Button
        size="md"
        loading={confirm.isPending}
        onClick={() => {
          confirm.mutate(hash.slice(1));
        }}
      >
        Confirm my address
      </Button>
    </div>
  );
}
