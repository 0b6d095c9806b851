/** Who reads a Kubernetes Secret whose value has changed, and what follows: a restart, or a line for a person. Pure. */
import type { Catalog } from '../../catalog/schema.ts';
import { SECRETS_CHANGED_ANNOTATION, VAULT_CA_SECRET } from '../../contract/names.ts';
import type { PlannedStep } from '../../contract/operations/plan.ts';
import type { Environment } from '../../environment/schema.ts';
import { secretNameOf } from './kubernetes-secrets.ts';
import { type ChangedSecret, type ObservedCluster, releaseKey } from '../observed.ts';
import { allReleases, findService, type Release } from '../releases.ts';
import { serversOf } from '../rotation/readers.ts';

/**
 * Since when a pod has what it reads: its creation, or right after the change that it was made for. Both may be in one
 * second.
 * @returns ISO 8601, to be compared as text
 */
export function readsSince({
  creationTimestamp,
  annotations,
}: {
  creationTimestamp?: string | null | undefined;
  annotations?: Readonly<Record<string, string>> | null | undefined;
}): string | undefined {
  const mark = annotations?.[SECRETS_CHANGED_ANNOTATION];
  const created = creationTimestamp ?? undefined;
  return mark !== undefined && created !== undefined && mark >= created ? `${mark}+` : created;
}

type Seen = Pick<ObservedCluster, 'changedSecrets' | 'podsSince'>;

/**
 * Names of the Secrets for which its pods are too old, or may be once Secrets are made anew; empty where there are
 * none.
 */
function outdated(
  { namespace, name, job, secrets }: Release,
  { changedSecrets = [], podsSince }: Seen,
): ChangedSecret[] {
  const since = podsSince?.get(releaseKey(namespace, name));
  if (job || since === undefined) return [];
  const read = new Set(secrets.map((use) => (use.delivery === 'kubernetes' ? secretNameOf(use) : VAULT_CA_SECRET)));
  return changedSecrets.filter(
    (secret) =>
      secret.namespace === namespace &&
      read.has(secret.name) &&
      (secret.stale || (secret.changedAt !== undefined && since <= secret.changedAt)),
  );
}

/** Whether it is the Secret with the authority of Vault's certificate: no server stores its value. */
const isAuthority = ({ name }: ChangedSecret): boolean => name === VAULT_CA_SECRET;

/** Whether all changed values come from a rotation, so that their servers accept them already. */
const isRotated = ({ rotated, stale }: ChangedSecret): boolean => rotated === true && !stale;

/** Whether the release's own server stores the value, and a rotation has set it there already. */
function isKnown(catalog: Catalog, { service }: Release, secret: ChangedSecret): boolean {
  return isRotated(secret) && serversOf(catalog, secret.path).has(service);
}

/**
 * Paths whose values a server with data was initialised with: that server keeps the former value, whatever its pods
 * get.
 */
function initialised(catalog: Catalog): Map<string, string> {
  return new Map(
    catalog.services
      .filter(({ stateful }) => stateful)
      .flatMap(({ name, secrets }) =>
        secrets.filter(({ delivery }) => delivery === 'kubernetes').map(({ path }) => [path, name] as const),
      ),
  );
}

/**
 * The step with a restart of its pods where that is wanted and safe.
 * @param step as decided without regard to Secrets
 */
export function withRestart(
  catalog: Catalog,
  { secrets }: Pick<Environment, 'secrets'>,
  release: Release,
  step: PlannedStep,
  seen: Seen,
): PlannedStep {
  if (secrets.onChange === 'list' || step.action === 'install') return step;
  const fixed = initialised(catalog);
  const stateful = findService(catalog, release.service).stateful;
  const restart = outdated(release, seen).filter(
    (secret) =>
      isAuthority(secret) ||
      (isRotated(secret) ? !isKnown(catalog, release, secret) : !stateful && !fixed.has(secret.path)),
  );
  if (restart.length === 0) return step;
  const names = restart.map(({ name }) => name);
  if (step.action !== 'unchanged' && step.action !== 'verify') return { ...step, restart: names };
  const may = restart.every(({ stale }) => stale);
  const reason = `its pods are restarted${may ? ' where a value that they read has changed' : ''}: Secret ${names.join(', ')} ${may ? 'is made anew from Vault' : 'has changed since they started'}`;
  return { ...step, action: 'restart', reason, restart: names };
}

/** Readers that are not restarted, each with what to do. */
export function listedReaders(catalog: Catalog, { secrets }: Pick<Environment, 'secrets'>, seen: Seen): string[] {
  const fixed = initialised(catalog);
  return allReleases(catalog).flatMap((release) => {
    const { name, namespace } = release;
    const stateful = findService(catalog, release.service).stateful;
    const listed = outdated(release, seen).filter(
      (secret) =>
        !isKnown(catalog, release, secret) &&
        (secrets.onChange === 'list' ||
          (!isAuthority(secret) && !isRotated(secret) && (stateful || fixed.has(secret.path)))),
    );
    if (listed.length === 0) return [];
    const servers = [
      ...new Set(
        listed
          .filter((secret) => !isAuthority(secret))
          .map(({ path }) => (stateful ? release.service : fixed.get(path))),
      ),
    ];
    const server = servers.find((candidate) => candidate !== undefined);
    const what = listed.every(({ stale }) => stale) ? 'is made anew from Vault, and may change' : 'has changed';
    const why =
      server === undefined
        ? 'the environment says secrets.onChange: list'
        : `${server} keeps the value that it was initialised with: change it there first (docs/understand/secrets.md)`;
    return [
      `${name} reads Secret ${listed.map((secret) => `${namespace}/${secret.name}`).join(', ')}, which ${what}, and is not restarted: ${why}. Then: kubectl -n ${namespace} rollout restart deployment,statefulset -l app.kubernetes.io/instance=${name}`,
    ];
  });
}
