import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

import { catalog, dataOf, users } from "@/lib/api/client";
import { Problem } from "@/lib/api/problem";
import { sessionStore } from "@/lib/api/session";
import { aSession, aUser } from "@/testing/builders";
import { server } from "@/testing/server";

const user = aUser();

test("many calls with an expired token share one refresh", async () => {
  let refreshes = 0;
  server.use(
    http.get("*/api/users/me", ({ request: { headers } }) =>
      headers.get("Authorization") === "Bearer new"
        ? HttpResponse.json(user)
        : HttpResponse.json({ type: "/problems/unauthorised", title: "No", status: 401 }, { status: 401 }),
    ),
    http.post("*/api/users/refresh", () => {
      refreshes += 1;
      return HttpResponse.json(aSession("new"));
    }),
  );
  sessionStore.start(aSession("old"));
  const answers = await Promise.all([1, 2, 3].map(() => dataOf(users.GET("/api/users/me"))));
  expect(answers).toEqual([user, user, user]);
  expect(refreshes).toBe(1);
  sessionStore.end();
});

test("a proxy's page becomes a plain problem with the correlation id, never its text", async () => {
  server.use(
    http.get("*/api/catalog/categories", () =>
      new HttpResponse("<h1>upstream reset at 10.0.0.7</h1>", {
        status: 503,
        headers: { "Content-Type": "text/html", "X-Correlation-Id": "c-1" },
      }),
    ),
  );
  const problem = await catalog.GET("/api/catalog/categories").catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(Problem);
  expect(problem).toMatchObject({ message: "Something went wrong", correlationId: "c-1", isRetryable: true });
});
