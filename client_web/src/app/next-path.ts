/** Where to go after signing in; only paths of this site, so that no link can send people away. */
export function nextPath(search: URLSearchParams): string {
  const next = search.get("next") ?? "";
  return /^\/(?![/\\])/.test(next) ? next : "/account";
}
