import { CloseButton, Text } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { Link } from "react-router";

import { noticeStore } from "@/lib/notices";

import classes from "@/components/notices.module.css";

/** The one live region of the page; it is always there, so that screen readers notice changes. */
export function Notices() {
  const notices = useSyncExternalStore(noticeStore.subscribe, noticeStore.get);
  return (
    <div className={classes.region} role="status" aria-live="polite">
      {notices.map((notice) => (
        <div key={notice.id} className={classes.notice}>
          <Text size="sm" fw={500} flex={1} lineClamp={2}>
            {notice.text}
          </Text>
          {notice.link && (
            <Link
              className={classes.link}
              to={notice.link.to}
              onClick={() => {
                noticeStore.dismiss(notice.id);
              }}
            >
              {notice.link.label}
            </Link>
          )}
          <CloseButton
            size="sm"
            variant="transparent"
            c="inherit"
            aria-label="Dismiss message"
            onClick={() => {
              noticeStore.dismiss(notice.id);
            }}
          />
        </div>
      ))}
    </div>
  );
}
