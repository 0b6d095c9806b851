/** Images in rendered objects. Pure. */
import { isTree } from '../../environment/files/merge.ts';

/** Keys that hold lists of containers. */
const CONTAINERS = ['containers', 'initContainers', 'ephemeralContainers'];

/** @returns references of all containers anywhere in the objects, sorted, each once */
export function imagesOf(objects: readonly unknown[]): string[] {
  return [...new Set(objects.flatMap(imagesIn))].sort();
}

function imagesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(imagesIn);
  if (!isTree(value)) return [];
  return Object.entries(value).flatMap(([key, entry]) =>
    CONTAINERS.includes(key) && Array.isArray(entry)
      ? entry.flatMap((container: unknown) =>
          isTree(container) && typeof container['image'] === 'string' && container['image'] !== ''
            ? [container['image']]
            : [],
        )
      : imagesIn(entry),
  );
}
