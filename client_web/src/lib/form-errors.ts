import { Problem } from "@/lib/api/problem";

/** Puts what the API says of a field beside that field; true if there was any such word. */
export function showFieldErrors<Name extends string>(
  error: unknown,
  names: readonly Name[],
  show: (name: Name, fault: { message: string }) => void,
): boolean {
  if (!(error instanceof Problem)) return false;
  let isShown = false;
  for (const { field, message } of error.body.errors ?? []) {
    const name = names.find((known) => known === field.split(".").pop());
    if (!name) continue;
    show(name, { message });
    isShown = true;
  }
  return isShown;
}
