import { Loader } from "@mantine/core";
import { Suspense, useEffect, useRef, useSyncExternalStore } from "react";
import { Outlet, ScrollRestoration, useLocation } from "react-router";

import { Footer } from "@/app/layout/footer";
import { Header } from "@/app/layout/header";
import { Notices } from "@/components/notices";
import { ConsentBanner } from "@/features/consent/components/consent-banner";
import { device, track } from "@/lib/analytics/track";

import classes from "@/app/layout/shell.module.css";

function useOnline(): boolean {
  return useSyncExternalStore(
    (listener) => {
      window.addEventListener("online", listener);
      window.addEventListener("offline", listener);
      return () => {
        window.removeEventListener("online", listener);
        window.removeEventListener("offline", listener);
      };
    },
    () => navigator.onLine,
  );
}

/** Tells the clickstream of each page and moves keyboard users to the top of a new one. */
function usePageView(main: React.RefObject<HTMLElement | null>) {
  const { pathname } = useLocation();
  const previous = useRef<string | null>(null);
  useEffect(() => {
    if (previous.current === pathname) return;
    track("page_viewed", { path: pathname, referrer: previous.current ?? (document.referrer || null), device: device() });
    if (previous.current !== null) main.current?.focus({ preventScroll: true });
    previous.current = pathname;
  }, [pathname, main]);
}

export function Shell() {
  const main = useRef<HTMLElement>(null);
  const isOnline = useOnline();
  usePageView(main);
  return (
    <div className={classes.shell}>
      <Header />
      {!isOnline && (
        <p className={classes.offline} role="status">
          You are offline. What you see may be out of date.
        </p>
      )}
      <main id="main" ref={main} tabIndex={-1} className={classes.main}>
        <Suspense fallback={<Loader className={classes.loader} aria-label="Loading" />}>
          <Outlet />
        </Suspense>
      </main>
      <Footer />
      <Notices />
      <ConsentBanner />
      {/* The first page of a visit always has the key "default": by that alone, a page typed into
          the address bar would open where the last one was left. */}
      <ScrollRestoration
        getKey={(location) =>
          location.key === "default" ? location.pathname + location.search : location.key
        }
      />
    </div>
  );
}
