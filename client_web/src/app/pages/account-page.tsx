import { Button, Group, Text, Title } from "@mantine/core";
import { Link, useNavigate } from "react-router";

import { RequireUser } from "@/app/require-user";
import { useSignOut } from "@/features/account/api/sign-out";
import { AddressBook } from "@/features/account/components/address-book";
import { ChangePasswordForm } from "@/features/account/components/change-password-form";
import { LeaveSection } from "@/features/account/components/leave-section";
import { NameForm } from "@/features/account/components/name-form";
import { SessionList } from "@/features/account/components/session-list";
import { VerifyBanner } from "@/features/account/components/verify-banner";
import { useDocumentTitle } from "@/lib/document-title";
import { notify } from "@/lib/notices";

import type { User } from "@/lib/api/types";
import type { ReactNode } from "react";

import classes from "@/app/pages/narrow.module.css";

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <Title order={2} size="h3" mb="sm">
        {title}
      </Title>
      {children}
    </section>
  );
}

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
      {!user.email_verified && <VerifyBanner email={user.email} />}
      <Section title="Your details">
        <NameForm name={user.name} />
      </Section>
      <Section title="Addresses">
        <AddressBook />
      </Section>
      <Section title="Password">
        <ChangePasswordForm email={user.email} />
      </Section>
      <Section title="Where you are signed in">
        <SessionList />
      </Section>
      <Section title="Your data">
        <LeaveSection
          canDelete={user.role === "shopper"}
          onDeleted={() => {
            notify("Your account is deleted. Thank you for having been with us.");
            // Guests are by now on the way from here to signing in.
            void navigate("/", { replace: true });
          }}
        />
      </Section>
    </div>
  );
}

export function AccountPage() {
  useDocumentTitle("Account");
  return <RequireUser>{(user) => <Account user={user} />}</RequireUser>;
}
