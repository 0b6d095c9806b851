/** What is missing of what the init Jobs make, from what a service itself has said. */
import type { DriftFinding } from '../../contract/drift.ts';
import { vaultFinding } from './vault/finding.ts';

/** @param job release whose Job makes it; it runs again */
function missing(
  object: string,
  job: string,
  note = 'The Job that makes it runs again; what exists is left as it is.',
): DriftFinding {
  return vaultFinding({ kind: 'missing', area: 'content', object, release: job, repair: 'job', note });
}

export function bucketFindings(
  server: string,
  job: string,
  wanted: readonly string[],
  found: ReadonlySet<string>,
): DriftFinding[] {
  return wanted
    .filter((bucket) => !found.has(bucket))
    .map((bucket) =>
      missing(
        `Bucket ${server}/${bucket}`,
        job,
        'It is made again, empty: what it held is gone unless a backup has it.',
      ),
    );
}

/** Names of buckets as `mc ls --json` prints them, one object a line. */
export function bucketsOf(output: string): Set<string> {
  return new Set(
    [...output.matchAll(/"key"\s*:\s*"([^"]+?)\/?"/g)].flatMap(([, name]) => (name === undefined ? [] : [name])),
  );
}

export interface SeenClient {
  clientId: string;
  enabled: boolean;
  publicClient: boolean;
}

/** @param clients undefined when the realm does not exist */
export function realmFindings(
  realm: { name: string; job: string; clients: readonly { clientId: string; public: boolean }[] },
  clients: readonly SeenClient[] | undefined,
): DriftFinding[] {
  if (!clients) return [missing(`Realm ${realm.name}`, realm.job)];
  return realm.clients.flatMap((wanted): DriftFinding[] => {
    const object = `Client ${realm.name}/${wanted.clientId}`;
    const found = clients.find(({ clientId }) => clientId === wanted.clientId);
    if (!found) return [missing(object, realm.job)];
    const fields = [
      ['enabled', 'true', String(found.enabled)],
      ['publicClient', String(wanted.public), String(found.publicClient)],
    ] as const;
    return fields
      .filter(([, was, is]) => was !== is)
      .map(([field, was, is]) =>
        vaultFinding({ kind: 'changed', area: 'content', object, field, was, is, release: realm.job, repair: 'job' }),
      );
  });
}

export function temporalFindings(
  namespaces: readonly { name: string; job: string; exists: boolean }[],
): DriftFinding[] {
  return namespaces.filter(({ exists }) => !exists).map(({ name, job }) => missing(`Temporal namespace ${name}`, job));
}

/** Argo CD makes its Applications itself, from the ApplicationSet: no Job can bring one back. */
export function applicationFindings(
  namespace: string,
  wanted: readonly string[],
  found: ReadonlySet<string>,
): DriftFinding[] {
  return wanted
    .filter((name) => !found.has(name))
    .map((name) =>
      vaultFinding({
        kind: 'missing',
        area: 'content',
        object: `Application ${namespace}/${name}`,
        note: "Argo CD's ApplicationSet controller makes it by itself: look at that controller's log.",
      }),
    );
}
