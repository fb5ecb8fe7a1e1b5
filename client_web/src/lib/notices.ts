/** Short messages shown (and read out) to the shopper, e.g. that something went into the cart. */
export interface Notice {
  id: number;
  text: string;
  link?: { to: string; label: string };
}

const SHOWN_MS = 6_000;
let notices: readonly Notice[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function change(next: readonly Notice[]): void {
  notices = next;
  listeners.forEach((listener) => {
    listener();
  });
}

export const noticeStore = {
  get: () => notices,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  dismiss(id: number): void {
    change(notices.filter((notice) => notice.id !== id));
  },
};

/** Shows one notice; a newer one replaces it, so that they never pile up over the page. */
export function notify(text: string, link?: Notice["link"]): void {
  lastId += 1;
  const id = lastId;
  change([{ id, text, link }]);
  setTimeout(() => {
    noticeStore.dismiss(id);
  }, SHOWN_MS);
}
