import { Button, Group, Text } from "@mantine/core";

import { setConsent, useConsent } from "@/lib/analytics/consent";

import classes from "@/features/consent/components/consent-banner.module.css";

export function ConsentBanner() {
  const consent = useConsent();
  if (consent !== null) return null;
  return (
    <section className={classes.banner} aria-label="Privacy choice">
      <Text size="sm">
        May we recognise this browser to see how the shop is used? Without your yes we only count
        page views, with nothing that tells it is you.
      </Text>
      <Group gap="xs" wrap="nowrap">
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            setConsent("denied");
          }}
        >
          No, thanks
        </Button>
        <Button
          size="xs"
          onClick={() => {
            setConsent("granted");
          }}
        >
          Allow
        </Button>
      </Group>
    </section>
  );
}
