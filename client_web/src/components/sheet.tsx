import { CloseButton, Group, Title } from "@mantine/core";
import { useEffect, useId, useRef } from "react";

import classes from "@/components/sheet.module.css";

import type { ReactNode } from "react";

interface Props {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
  footer?: ReactNode;
}

/** A sheet from the bottom edge; the browser's own dialog brings focus trap, Escape and inertness. */
export function Sheet({ title, isOpen, onClose, children, footer }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    if (isOpen) ref.current?.showModal();
    else ref.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={ref} className={classes.sheet} aria-labelledby={titleId} onClose={onClose}>
      {isOpen && (
        <div className={classes.frame}>
          <Group justify="space-between" className={classes.head}>
            <Title order={2} size="h4" id={titleId}>
              {title}
            </Title>
            <CloseButton size="lg" aria-label="Close" onClick={onClose} />
          </Group>
          <div className={classes.body}>{children}</div>
          {footer && <div className={classes.foot}>{footer}</div>}
        </div>
      )}
    </dialog>
  );
}
