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
  SECRETS_ROTATED_ANNOTATION,
  VAULT_PATH_ANNOTATION,
  VAULT_VERSION_ANNOTATION,
} from '../../../contract/names.ts';
import { type WantedSecret, wantedSecrets } from '../../../plan/vault/kubernetes-secrets.ts';
import type { EffectScope } from '../../effect.ts';
import { writeAuthorities } from '../authorities.ts';
import { requireText } from '../declared.ts';
import { registerSecretValues } from '../register-values.ts';
import { type MadeSecret, madeSecrets } from './made-secrets.ts';
import { staleness } from './wanted.ts';

export async function syncSecrets(
  clients: Clients,
  run: InputOf<'syncSecrets'>,
  scope: EffectScope,
): OutputOf<'syncSecrets'> {
  const { signal } = scope;
  scope.doing('makes Kubernetes Secrets from Vault');
  const { written, existing } = await write(clients, wantedSecrets(clients.catalog), signal);
  return { written: [...written, ...(await writeAuthorities(clients, existing, timeNow(), signal))] };
}

/**
 * Those made from one path, after a rotation: its server knows what has changed, so that readers may be restarted.
 * @param since ISO 8601: what was changed before that was not by the rotation
 * @returns of those written `<namespace>/<name>`
 */
export async function syncRotated(
  clients: Pick<Clients, 'catalog' | 'kubernetes' | 'vault' | 'redactor' | 'environment'>,
  path: string,
  since: string,
  signal: AbortSignal,
): Promise<string[]> {
  const wanted = wantedSecrets(clients.catalog).filter((secret) => secret.path === path);
  return (await write(clients, wanted, signal, since)).written;
}

async function write(
  clients: Pick<Clients, 'catalog' | 'kubernetes' | 'vault' | 'redactor' | 'environment'>,
  wanted: readonly WantedSecret[],
  signal: AbortSignal,
  rotatedSince?: string,
): Promise<{ written: string[]; existing: Map<string, MadeSecret> }> {
  const [made, entries] = await Promise.all([madeSecrets(clients, signal), readPaths(clients, wanted, signal)]);
  const existing = new Map(made.map((secret) => [`${secret.namespace}/${secret.name}`, secret]));
  const now = timeNow();
  const changes = wanted.map((secret) => {
    const [found, entry] = [existing.get(`${secret.namespace}/${secret.name}`), entries.get(secret.path)];
    const changed = changedAt(secret, found, entry, now);
    const marked = found?.object.metadata.annotations?.[SECRETS_ROTATED_ANNOTATION];
    // Whole seconds sort behind any fraction of theirs.
    const isRotated = rotatedSince !== undefined && changed !== undefined && changed >= rotatedSince;
    return { secret, found, entry, changed, marked, mark: isRotated ? changed : marked };
  });
  const stale = changes.filter(
    ({ secret, found, entry, marked, mark }) =>
      marked !== mark ||
      // Whoever writes under our name changes a value without a trace in the metadata.
      staleness(secret, entry?.revision, found?.object) !== undefined ||
      secret.keys.some((key) => found?.values[key] !== entry?.data[key]),
  );
  await Promise.all(
    stale.map(({ secret, entry, changed, mark }) => apply(clients, secret, entry, { changed, mark }, signal)),
  );
  return { written: stale.map(({ secret: { namespace, name } }) => `${namespace}/${name}`), existing };
}

const timeNow = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

async function readPaths(
  clients: Pick<Clients, 'catalog' | 'vault' | 'redactor'>,
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

async function apply(
  { kubernetes, environment }: Pick<Clients, 'kubernetes' | 'environment'>,
  wanted: WantedSecret,
  entry: KvEntry | undefined,
  { changed, mark }: { changed: string | undefined; mark: string | undefined },
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
          ...(mark === undefined ? {} : { [SECRETS_ROTATED_ANNOTATION]: mark }),
        },
      },
      data: Object.fromEntries(wanted.keys.map((key) => [key, Buffer.from(entry.data[key] ?? '').toString('base64')])),
      // Vault is where these values come from: what was edited here by hand is put right.
    },
    { force: true },
    signal,
  );
}
