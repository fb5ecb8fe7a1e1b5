import type { Category } from "@/lib/api/types";

/**
 * The categories worth a place in the navigation, largest first. A root that holds nearly the
 * whole catalogue says nothing, so its children stand in for it.
 */
export function departments(roots: Category[]): Category[] {
  const total = roots.reduce((sum, root) => sum + root.count, 0);
  return roots
    .flatMap((root) =>
      root.count > total / 2 && root.children.length > 1 ? root.children : [root],
    )
    .filter((category) => category.count > 0)
    .sort((a, b) => b.count - a.count);
}

/** `places` departments for the navigation: every root has one, the largest others fill the rest. */
export function navigation(roots: Category[], places: number): Category[] {
  const all = departments(roots);
  const isRoot = (category: Category) => roots.includes(category);
  return [...all.filter(isRoot), ...all.filter((category) => !isRoot(category))]
    .slice(0, places)
    .sort((a, b) => b.count - a.count);
}
