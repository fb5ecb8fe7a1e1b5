import { Button } from "@mantine/core";
import IconMapPinQuestion from "@tabler/icons-react/icons/IconMapPinQuestion";
import { Link } from "react-router";

import { EmptyState } from "@/components/empty-state";
import { useDocumentTitle } from "@/lib/document-title";

export function NotFound({ what = "This page does not exist" }: { what?: string }) {
  useDocumentTitle("Not found");
  return (
    <EmptyState
      icon={<IconMapPinQuestion size={44} stroke={1.4} color="var(--mantine-color-dimmed)" aria-hidden />}
      title={what}
      action={
        <Button component={Link} to="/products" mt="sm">
          Browse the shop
        </Button>
      }
    >
      It may have moved or been taken down.
    </EmptyState>
  );
}
