/** Lists of the whole cluster, for identities that may look into the platform's namespaces only. */
import { isForbidden, isNotFound, type KubernetesError } from './errors.ts';
import type { KubernetesList } from './objects.ts';

/** A collection without a namespace: all objects of the kind. */
const WHOLE = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)\/([^/]+)$/;

/** The same collection in one namespace; undefined where the path is none of the whole cluster. */
export function pathWithin(path: string, namespace: string): string | undefined {
  const [, root, plural] = WHOLE.exec(path) ?? [];
  return root === undefined || plural === undefined ? undefined : `${root}/namespaces/${namespace}/${plural}`;
}

/**
 * Asks for the whole cluster; where that is refused, for the namespaces one by one, and from then on only so.
 * @param once lists one collection
 */
export function scopedList<Options>(
  namespaces: readonly string[],
  once: (path: string, options: Options, signal?: AbortSignal) => Promise<KubernetesList>,
): typeof once {
  const refused = new Set<string>();
  return async (path, options, signal) => {
    let refusal: KubernetesError | undefined;
    if (!refused.has(path)) {
      try {
        return await once(path, options, signal);
      } catch (error) {
        if (namespaces.length === 0 || !isForbidden(error) || pathWithin(path, '') === undefined) throw error;
        refusal = error;
      }
    }
    try {
      const lists = await Promise.all(
        namespaces.map((namespace) => once(pathWithin(path, namespace) ?? path, options, signal)),
      );
      refused.add(path);
      return { metadata: { resourceVersion: '' }, items: lists.flatMap(({ items }) => items) };
    } catch (error) {
      // A kind without namespaces, or one that may not be listed there either.
      if (refusal !== undefined && (isNotFound(error) || isForbidden(error))) throw refusal;
      throw error;
    }
  };
}
