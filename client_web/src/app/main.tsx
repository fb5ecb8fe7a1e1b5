import "@/app/mantine.css";
import "@/app/styles.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "@/app/app";
import { buildRouter } from "@/app/router";
import { flushOnLeave } from "@/lib/analytics/track";
import { buildQueryClient } from "@/lib/api/query-client";
import { refreshSession, sessionStore } from "@/lib/api/session";

async function start(): Promise<void> {
  if (import.meta.env.DEV && import.meta.env.MODE === "mock") {
    const { startMockWorker } = await import("@/testing/worker");
    await startMockWorker();
  }
  // Who was signed in is so from the first request on; guests do not wait.
  if (sessionStore.mayResume()) await refreshSession();
  flushOnLeave();
  const root = document.getElementById("root");
  if (!root) throw new Error("index.html has no #root");
  createRoot(root).render(
    <StrictMode>
      <App router={buildRouter()} queryClient={buildQueryClient()} />
    </StrictMode>,
  );
}

void start();
