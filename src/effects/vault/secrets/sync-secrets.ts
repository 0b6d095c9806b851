/** Kubernetes Secrets from Vault, for services that read Secrets. */
import { DeployError } from '../../../contract/errors.ts';
import type { Clients } from '../../../clients/index.ts';
import { paths } from '../../../clients/kubernetes/index.ts';
import { type KvEntry, readKv } from '../../../clients/vault/index.ts';
import type { InputOf, OutputOf } from '../../../contract/activities.ts';
import { FAILURES } from '../../../contract/failures.ts';
import {
  MANAGED_BY,
  MANAGED_BY_LABEL,
  OWNER_LABEL,
  SECRETS_CHANGED_ANNOTATION,
  VAULT_PATH_ANNOTATION,
  VAULT_VERSION_ANNOTATION,
} from '../../../contract/names.ts';
import { type WantedSecret, wantedSecrets } from '../../../plan/vault/kubernetes-secrets.ts';
import type { EffectScope } from '../../effect.ts';
import { writeAuthorities } from '../authorities.ts';
import { requireText } from '../declared.ts';
import { registerSecretValues } from '../learn.ts';
import { type MadeSecret, madeSecrets } from './made-secrets.ts';
import { staleness } from './wanted.ts';

export async function syncSecrets(
  clients: Clients,
  run: InputOf<'syncSecrets'>,
  scope: EffectScope,
): OutputOf<'syncSecrets'> {
  const { signal } = scope;
  scope.doing('makes Kubernetes Secrets from Vault');

  const wanted = wantedSecrets(clients.catalog);
  const [made, entries] = await Promise.all([madeSecrets(clients, signal), readPaths(clients, wanted, signal)]);
  const existing = new Map(made.map((secret) => [`${secret.namespace}/${secret.name}`, secret]));
  const stale = wanted.filter((secret) => {
    const [found, entry] = [existing.get(`${secret.namespace}/${secret.name}`), entries.get(secret.path)];
    // Whoever writes under our name changes a value without a trace in the metadata.
    return (
      staleness(secret, entry?.revision, found?.object) !== undefined ||
      secret.keys.some((key) => found?.values[key] !== entry?.data[key])
    );
  });
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  await Promise.all(
    stale.map((secret) => {
      const [found, entry] = [existing.get(`${secret.namespace}/${secret.name}`), entries.get(secret.path)];
      return write(clients, secret, entry, changedAt(secret, found, entry, now), signal);
    }),
  );
  const authorities = await writeAuthorities(clients, existing, now, signal);
  return { written: [...stale.map(({ namespace, name }) => `${namespace}/${name}`), ...authorities] };
}

async function readPaths(
  clients: Clients,
  wanted: readonly WantedSecret[],
  signal: AbortSignal,
): Promise<Map<string, KvEntry>> {
  const needed = [...new Set(wanted.map(({ path }) => path))];
  const entries = await clients.vault.asDeployer(
    (session) => Promise.all(needed.map(async (path) => [path, await readKv(session, path, signal)] as const)),
    signal,
  );
  requireText(
    clients.catalog.secretPaths
      .filter(({ path }) => needed.includes(path))
      .map((declared) => ({ declared, entry: entries.find(([path]) => path === declared.path)?.[1] })),
  );
  const found = new Map(entries.flatMap(([path, entry]) => (entry ? [[path, entry] as const] : [])));
  for (const declared of clients.catalog.secretPaths)
    registerSecretValues(clients.redactor, declared, found.get(declared.path)?.data ?? {});
  return found;
}

/** Pods that have started before this read another value. One that was not there had no value. */
function changedAt(
  { keys }: WantedSecret,
  found: MadeSecret | undefined,
  entry: KvEntry | undefined,
  now: string,
): string | undefined {
  const differs =
    found !== undefined &&
    keys.some((key) => found.values[key] !== undefined && found.values[key] !== entry?.data[key]);
  return differs ? now : found?.object.metadata.annotations?.[SECRETS_CHANGED_ANNOTATION];
}

async function write(
  { kubernetes, environment }: Clients,
  wanted: WantedSecret,
  entry: KvEntry | undefined,
  changed: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const absent = wanted.keys.filter((key) => entry?.data[key] === undefined);
  if (!entry || absent.length > 0)
    throw new DeployError(
      FAILURES.unexpected,
      `Secret ${wanted.namespace}/${wanted.name}: Vault has no ${entry ? `${absent.join(', ')} in ${wanted.path}` : wanted.path}`,
    );
  await kubernetes.apply(
    paths.secret(wanted.namespace, wanted.name),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: {
        name: wanted.name,
        namespace: wanted.namespace,
        labels: { ...wanted.labels, [MANAGED_BY_LABEL]: MANAGED_BY, [OWNER_LABEL]: environment.name },
        annotations: {
          [VAULT_PATH_ANNOTATION]: wanted.path,
          [VAULT_VERSION_ANNOTATION]: entry.revision,
          ...(changed === undefined ? {} : { [SECRETS_CHANGED_ANNOTATION]: changed }),
        },
      },
      data: Object.fromEntries(wanted.keys.map((key) => [key, Buffer.from(entry.data[key] ?? '').toString('base64')])),
      // Vault is where these values come from: what was edited here by hand is put right.
    },
    { force: true },
    signal,
  );
}
