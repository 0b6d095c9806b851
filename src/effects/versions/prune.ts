/** Helm keeps every revision; here go those that no kept version needs. */
import type { Clients } from '../../clients/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import type { PlatformVersion } from '../../contract/version.ts';
import { dispensable } from '../../plan/versions/history-kept.ts';
import { keyOf } from '../../plan/versions/versions.ts';
import type { OurRevisions } from './contents.ts';

/** @returns how many revisions were removed */
export async function pruneRevisions(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  revisions: OurRevisions,
  versions: readonly PlatformVersion[],
  signal?: AbortSignal,
): Promise<number> {
  const needed = new Map<string, Set<string>>();
  for (const release of versions.flatMap(({ releases }) => releases))
    needed.set(keyOf(release), (needed.get(keyOf(release)) ?? new Set()).add(release.digest));
  const gone = [...revisions].flatMap(([key, all]) => dispensable(all, needed.get(key) ?? new Set()));
  await Promise.all(
    gone.map(({ secret }) =>
      kubernetes.remove(paths.secret(secret.namespace, secret.name), { uid: secret.uid }, signal),
    ),
  );
  return gone.length;
}
