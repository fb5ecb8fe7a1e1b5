import { screen, waitFor } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { afterEach, expect, test } from "vitest";

import { sessionStore } from "@/lib/api/session";
import { aSession, aUser } from "@/testing/builders";
import { axeFaults, renderAt } from "@/testing/render";
import { server } from "@/testing/server";

const USED = "This link was used before, or is too old; ask for another letter";

const refusal = () =>
  HttpResponse.json(
    { type: "/problems/unprocessable", title: "A field is not valid", status: 422, detail: USED, errors: [{ field: "code", message: USED }] },
    { status: 422 },
  );

afterEach(() => {
  sessionStore.end();
});

test("a forgotten password is asked for without a word on who has an account", async () => {
  const sent: unknown[] = [];
  server.use(
    http.post("*/api/users/password-reset", async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json(null, { status: 202 });
    }),
  );
  const user = userEvent.setup();
  const { container } = renderAt("/sign-in");
  await user.click(await screen.findByRole("link", { name: "Forgotten your password?" }));
  await screen.findByRole("heading", { name: "Forgotten your password?" });
  await user.type(screen.getByLabelText("E-mail"), " ada@example.com ");
  expect(await axeFaults(container)).toEqual([]);
  await user.click(screen.getByRole("button", { name: "Send me a link" }));
  expect(await screen.findByText(/If there is an account for ada@example.com/)).toBeDefined();
  expect(sent).toEqual([{ email: "ada@example.com" }]);
});

test("the link of a letter leads to a new password, with the code that no server saw", async () => {
  const sent: unknown[] = [];
  server.use(
    http.post("*/api/users/password-reset/confirm", async ({ request }) => {
      sent.push(await request.json());
      return sent.length === 1 ? refusal() : new HttpResponse(null, { status: 204 });
    }),
  );
  const user = userEvent.setup();
  const { router, container } = renderAt("/mailbox");
  await user.click(await screen.findByRole("link", { name: "Choose a new password" }));
  await user.type(await screen.findByLabelText("New password"), "another good password");
  expect(await axeFaults(container)).toEqual([]);
  await user.click(screen.getByRole("button", { name: "Set password" }));
  expect(await screen.findByText(USED)).toBeDefined();
  await user.click(screen.getByRole("button", { name: "Set password" }));
  await waitFor(() => {
    expect(router.state.location.pathname).toBe("/sign-in");
  });
  expect(sent[1]).toEqual({ code: "c0de", new_password: "another good password" });
});

test("an address is confirmed by a click, and the account page knows", async () => {
  sessionStore.start(aSession("token", { email_verified: false }));
  server.use(
    http.post("*/api/users/verification/confirm", () => new HttpResponse(null, { status: 204 })),
    http.get("*/api/users/me", () => HttpResponse.json(aUser())),
  );
  const user = userEvent.setup();
  const { container } = renderAt("/verify#c0de");
  await user.click(await screen.findByRole("button", { name: "Confirm my address" }));
  expect(await screen.findByText("Your e-mail address is confirmed.")).toBeDefined();
  expect(await axeFaults(container)).toEqual([]);
  await user.click(screen.getByRole("link", { name: "To my account" }));
  expect(await screen.findByRole("heading", { name: "Hello, Ada" })).toBeDefined();
  expect(screen.queryByText("Please confirm your e-mail address")).toBeNull();
});

test("a shop that sends its letters has no page of them", async () => {
  server.use(
    http.get("*/api/users/mailbox", () =>
      HttpResponse.json({ type: "/problems/not-found", title: "No", status: 404 }, { status: 404 }),
    ),
  );
  renderAt("/mailbox");
  expect(await screen.findByText("This page does not exist")).toBeDefined();
});
