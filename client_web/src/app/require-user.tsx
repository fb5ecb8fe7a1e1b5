import { Navigate, useLocation } from "react-router";

import { useUser } from "@/lib/api/use-session";

import type { User } from "@/lib/api/types";
import type { ReactNode } from "react";

/** Sends guests to sign in, and back here afterwards. */
export function RequireUser({ children }: { children: (user: User) => ReactNode }) {
  const user = useUser();
  const { pathname } = useLocation();
  if (!user) return <Navigate to={`/sign-in?${new URLSearchParams({ next: pathname }).toString()}`} replace />;
  return children(user);
}
