/** All that an operation has left, as it is: every object of the cluster, every release, and what Vault holds. */
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Clients } from '../../clients/index.ts';
import { decodedData, type KubernetesObject, pathOfKind } from '../../clients/kubernetes/index.ts';
import type { ReadState, ReadVault } from '../../plan/rehearsal/state.ts';
import { lookInside } from '../drift/vault-inside.ts';

/**
 * Also what Secrets hold: for a throwaway cluster alone. Nothing of it is ever written down: `stateOf` takes out
 * values.
 * @throws KubernetesError, VaultError; an error where something could not be looked at, since a comparison needs all
 */
export async function readState(clients: Clients, signal: AbortSignal): Promise<ReadState> {
  const { kubernetes } = clients;
  const { kinds, silent } = await kubernetes.kinds(signal);
  if (silent.length > 0)
    throw new Error(`${silent.map(({ group, version }) => `${group}/${version}`).join(', ')} cannot be looked at.`);
  const listable = kinds.filter(({ verbs }) => verbs.includes('list'));
  const objects = (
    await Promise.all(
      listable.map(async (kind) => {
        const { items } = await kubernetes.list(pathOfKind(kind), {}, signal);
        return items.map((object) => ({ group: kind.group, kind: kind.kind, object }));
      }),
    )
  ).flat();
  return {
    objects,
    releases: newestRecords(objects.map(({ object }) => object)).map(recordedRelease),
    vault: await readVault(clients, signal),
  };
}

const releaseSchema = z.looseObject({ name: z.string(), namespace: z.string(), version: z.number() });

/**
 * Helm's record of each release's newest revision, which alone is compared: unpacking one costs as much as listing a
 * hundred.
 */
export function newestRecords(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const revisionOf = ({ metadata }: KubernetesObject): number => Number(metadata.labels?.['version']);
  const newest = new Map<string, KubernetesObject>();
  for (const object of objects) {
    if (object['type'] !== 'helm.sh/release.v1') continue;
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.labels?.['name'] ?? object.metadata.name}`;
    const known = newest.get(key);
    if (known === undefined || revisionOf(known) < revisionOf(object)) newest.set(key, object);
  }
  return [...newest.values()];
}

function recordedRelease(object: KubernetesObject): ReadState['releases'][number] {
  const packed = Buffer.from(decodedData(object)['release'] ?? '', 'base64');
  const release = releaseSchema.parse(JSON.parse(gunzipSync(packed).toString()));
  return { ...release, labels: object.metadata.labels ?? {} };
}

async function readVault(clients: Clients, signal: AbortSignal): Promise<ReadVault> {
  const { seen, paths, receipt, unseen } = await clients.vault.asDeployer(
    (session) => lookInside(clients, clients.environment.name, session, signal),
    signal,
  );
  const [first] = unseen;
  if (first !== undefined || paths === undefined)
    throw new Error(`Vault cannot be looked at: ${first?.object ?? 'secrets'}: ${first?.is ?? 'no answer'}`);
  return {
    mounts: seen.mounts,
    auths: seen.auths,
    kvConfig: seen.kvConfig,
    loginConfig: seen.loginConfig,
    policies: seen.policies,
    roles: seen.roles,
    paths: paths.map(({ declared, entry, history }) => ({
      path: declared.path,
      keys: Object.fromEntries(Object.entries({ ...entry?.other, ...entry?.data })),
      fixed: Object.fromEntries(
        declared.keys.flatMap((key) => (key.kind === 'fixed' ? [[key.name, key.value] as const] : [])),
      ),
      newest: history.newest,
    })),
    receipt: { ...receipt },
  };
}
