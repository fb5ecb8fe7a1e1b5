import { Button, Group, Text, Title } from "@mantine/core";
import { Link, useNavigate } from "react-router";

import { RequireUser } from "@/app/require-user";
import { useSignOut } from "@/features/account/api/sign-out";
import { AddressBook } from "@/features/account/components/address-book";
import { NameForm } from "@/features/account/components/name-form";
import { useDocumentTitle } from "@/lib/document-title";

import type { User } from "@/lib/api/types";

import classes from "@/app/pages/narrow.module.css";

function Account({ user }: { user: User }) {
  const signOut = useSignOut();
  const navigate = useNavigate();
  return (
    <div className={classes.account}>
      <Group justify="space-between" align="flex-start">
        <div>
          <Title order={1}>Hello, {user.name}</Title>
          <Text c="dimmed">{user.email}</Text>
        </div>
        <Group gap="sm">
          <Button component={Link} to="/orders">
            My orders
          </Button>
          <Button
            variant="default"
            onClick={() => {
              // First away from here: this page sends guests to sign in.
              void navigate("/");
              signOut.mutate();
            }}
          >
            Sign out
          </Button>
        </Group>
      </Group>
      <section>
        <Title order={2} size="h3" mb="sm">
          Your details
        </Title>
        <NameForm name={user.name} />
      </section>
      <section>
        <Title order={2} size="h3" mb="sm">
          Addresses
        </Title>
        <AddressBook />
      </section>
    </div>
  );
}

export function AccountPage() {
  useDocumentTitle("Account");
  return <RequireUser>{(user) => <Account user={user} />}</RequireUser>;
}
