import { useMutation } from "@tanstack/react-query";

import { dataOf, users } from "@/lib/api/client";

function save(document_: unknown, name: string): void {
  const url = URL.createObjectURL(
    new Blob([JSON.stringify(document_, null, 2)], { type: "application/json" }),
  );
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}

/** Everything the shop keeps of the person who asks, as a file. */
export function useExport() {
  return useMutation({
    mutationFn: () => dataOf(users.GET("/api/users/me/export")),
    onSuccess: (data) => {
      save(data, "my-data.json");
    },
  });
}
