/** Browser storage that may be switched off: reading then finds nothing, writing does nothing. */
function guarded(pick: () => Storage) {
  return {
    get(key: string): string | null {
      try {
        return pick().getItem(key);
      } catch {
        return null;
      }
    },
    set(key: string, value: string): void {
      try {
        pick().setItem(key, value);
      } catch {
        // Private modes refuse storage; the shop works without it.
      }
    },
    remove(key: string): void {
      try {
        pick().removeItem(key);
      } catch {
        // As above.
      }
    },
  };
}

export const local = guarded(() => window.localStorage);
export const session = guarded(() => window.sessionStorage);
