import { screen, waitFor, within } from "@testing-library/react";
import { userEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { sessionStore } from "@/lib/api/session";
import { aSession, aSignIn } from "@/testing/builders";
import { axeFaults, renderAt } from "@/testing/render";
import { server } from "@/testing/server";

const NO_CONTENT = { status: 204 };

const refusal = (field: string, message: string) =>
  HttpResponse.json(
    { type: "/problems/unprocessable", title: "A field is not valid", status: 422, errors: [{ field, message }] },
    { status: 422 },
  );

beforeEach(() => {
  sessionStore.start(aSession());
});
afterEach(() => {
  sessionStore.end();
});

test("an unconfirmed address can have another letter", async () => {
  sessionStore.start(aSession("token", { email_verified: false }));
  server.use(http.post("*/api/users/verification", () => HttpResponse.json(null, { status: 202 })));
  const user = userEvent.setup();
  const { container } = renderAt("/account");
  await user.click(await screen.findByRole("button", { name: "Send it again" }));
  expect(await screen.findByText("Another letter is on its way.")).toBeDefined();
  expect(await axeFaults(container)).toEqual([]);
});

test("a password is changed, and what is wrong stands beside its field", async () => {
  const sent: unknown[] = [];
  server.use(
    http.post("*/api/users/me/password", async ({ request }) => {
      sent.push(await request.json());
      return sent.length === 1
        ? refusal("current_password", "This is not your password")
        : HttpResponse.json(aSession("newer"));
    }),
  );
  const user = userEvent.setup();
  renderAt("/account");
  const form = await screen.findByRole("form", { name: "Change your password" });
  await user.type(within(form).getByLabelText("Current password"), "wrong one");
  await user.type(within(form).getByLabelText("New password"), "short");
  await user.click(within(form).getByRole("button", { name: "Change password" }));
  expect(await within(form).findByText("Use at least 10 characters")).toBeDefined();
  expect(sent).toEqual([]);

  await user.type(within(form).getByLabelText("New password"), " but now long enough");
  await user.click(within(form).getByRole("button", { name: "Change password" }));
  expect(await within(form).findByText("This is not your password")).toBeDefined();

  await user.click(within(form).getByRole("button", { name: "Change password" }));
  expect(await screen.findByText(/Your password is changed/)).toBeDefined();
  expect(sessionStore.get().token).toBe("newer");
});

test("other devices are signed out one by one, or all at once", async () => {
  const other = aSignIn({ session_id: "s-2", device: "Chrome on Android", is_current: false });
  const ended: string[] = [];
  server.use(
    http.get("*/api/users/me/sessions", () =>
      HttpResponse.json({ items: ended.length ? [aSignIn()] : [aSignIn(), other], next_cursor: null }),
    ),
    http.delete<{ id: string }>("*/api/users/me/sessions/:id", ({ params }) => {
      ended.push(params.id);
      return new HttpResponse(null, NO_CONTENT);
    }),
    http.delete("*/api/users/me/sessions", () => new HttpResponse(null, NO_CONTENT)),
  );
  const user = userEvent.setup();
  const { router } = renderAt("/account");
  await user.click(await screen.findByRole("button", { name: /^Sign out Chrome on Android/ }));
  await waitFor(() => {
    expect(screen.queryByText("Chrome on Android")).toBeNull();
  });
  expect(ended).toEqual(["s-2"]);

  await user.click(screen.getByRole("button", { name: "Sign out everywhere" }));
  expect(await screen.findByText("You are signed out on every device.")).toBeDefined();
  await waitFor(() => {
    expect(router.state.location.pathname).toBe("/sign-in");
  });
  expect(sessionStore.get().user).toBeNull();
});

test("the data come as a file", async () => {
  server.use(http.get("*/api/users/me/export", () => HttpResponse.json({ orders: [] })));
  const saved = vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:x");
  // The stand-in browser would go to the file instead of saving it.
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
  const user = userEvent.setup();
  renderAt("/account");
  await user.click(await screen.findByRole("button", { name: "Download my data" }));
  await waitFor(() => {
    expect(saved).toHaveBeenCalledOnce();
  });
  expect(await (saved.mock.calls[0]?.[0] as Blob).text()).toContain('"orders"');
});

test("a saved address is edited in its place", async () => {
  const saved = {
    address_id: "a-1", name: "Ada", line1: "1 Hill Road", line2: "Flat 2", city: "Leeds", postal_code: "LS1 1AA", country: "GB",
  };
  const sent: unknown[] = [];
  server.use(
    http.get("*/api/users/me/addresses", () => HttpResponse.json({ items: [saved], next_cursor: null })),
    http.put("*/api/users/me/addresses/a-1", async ({ request }) => {
      sent.push(await request.json());
      saved.city = "York";
      return HttpResponse.json(saved);
    }),
  );
  const user = userEvent.setup();
  const { container } = renderAt("/account");
  await user.click(await screen.findByRole("button", { name: "Edit the address of Ada, 1 Hill Road" }));
  const form = screen.getByRole("form", { name: "Address of Ada" });
  expect(await axeFaults(container)).toEqual([]);
  const city = within(form).getByLabelText("Town or city");
  await user.clear(city);
  await user.type(city, "York");
  await user.click(within(form).getByRole("button", { name: "Save address" }));
  expect(await screen.findByText(/Flat 2, York/)).toBeDefined();
  expect(screen.queryByRole("form", { name: "Address of Ada" })).toBeNull();
  const { address_id: id, ...address } = saved;
  expect([id, sent]).toEqual(["a-1", [address]]);
});

test("an account is deleted with its password only, and then one is a guest elsewhere", async () => {
  const sent: unknown[] = [];
  server.use(
    http.delete("*/api/users/me", async ({ request }) => {
      sent.push(await request.json());
      return sent.length === 1
        ? refusal("password", "This is not your password")
        : new HttpResponse(null, NO_CONTENT);
    }),
  );
  const user = userEvent.setup();
  const { router, container } = renderAt("/account");
  await user.click(await screen.findByRole("button", { name: "Delete my account" }));
  const form = screen.getByRole("form", { name: "Delete your account" });
  expect(await axeFaults(container)).toEqual([]);
  await user.type(within(form).getByLabelText("Your password"), "wrong");
  await user.click(within(form).getByRole("button", { name: "Delete for good" }));
  expect(await within(form).findByText("This is not your password")).toBeDefined();
  await user.click(within(form).getByRole("button", { name: "Delete for good" }));
  expect(await screen.findByText(/Your account is deleted/)).toBeDefined();
  await waitFor(() => {
    expect(router.state.location.pathname).toBe("/");
  });
  expect(sessionStore.get().user).toBeNull();
});

test("staff find no way to delete themselves", async () => {
  sessionStore.start(aSession("token", { role: "operator" }));
  renderAt("/account");
  expect(await screen.findByRole("button", { name: "Download my data" })).toBeDefined();
  expect(screen.queryByRole("button", { name: "Delete my account" })).toBeNull();
});
