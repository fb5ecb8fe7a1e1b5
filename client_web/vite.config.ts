import { createReadStream } from "node:fs";
import { fileURLToPath, URL } from "node:url";

import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { z } from "zod";

/** Serves MSW's worker in `dev:mock` only, so that it never lies in public/ and so never in dist/. */
function mockWorker(): Plugin {
  const file = fileURLToPath(new URL("node_modules/msw/lib/mockServiceWorker.js", import.meta.url));
  return {
    name: "mock-worker",
    apply: "serve",
    configureServer(server) {
      server.middlewares.use("/mockServiceWorker.js", (_request, response) => {
        response.setHeader("Content-Type", "text/javascript");
        createReadStream(file).pipe(response);
      });
    },
  };
}

/** The only environment the storefront reads, and only in development: built, it talks to its own origin. */
const env = z.object({ HAS_EDGE_URL: z.url().default("http://127.0.0.1:8080") }).parse(process.env);

export default defineConfig(({ mode }) => ({
  plugins: [react(), ...(mode === "mock" ? [mockWorker()] : [])],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  server: {
    host: "127.0.0.1",
    port: 5173,
    proxy: mode === "mock" ? undefined : { "/api": env.HAS_EDGE_URL, "/images": env.HAS_EDGE_URL },
  },
  preview: { host: "127.0.0.1" },
  build: { target: "es2022", reportCompressedSize: false },
  test: {
    environment: "happy-dom",
    environmentOptions: { happyDOM: { url: "http://127.0.0.1:3000/" } },
    setupFiles: ["src/testing/setup.ts"],
    css: false,
    restoreMocks: true,
    // One module graph for all files of a worker: half the time. Tests put back what they change.
    isolate: false,
    testTimeout: 15_000,
  },
}));
