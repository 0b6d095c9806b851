/**
 * A Vault that lost its data beside databases that kept theirs: whoever generated passwords now would lock the platform
 * out of them. So this is asked before Vault is initialised, and once more before anything is written into it.
 */
import { DeployError } from '../../../contract/errors.ts';
import { z } from 'zod';
import type { Clients } from '../../../clients/index.ts';
import { paths } from '../../../clients/kubernetes/index.ts';
import { FAILURES } from '../../../contract/failures.ts';
import { VAULT } from '../../../contract/names.ts';
import { type DataClaim, dataClaims, generatedKeys, keepers, type KeyOfPath } from '../../../plan/vault/data-claims.ts';
import { isAsMade, madeSecrets } from './made-secrets.ts';
import { namespaceOf } from '../server.ts';
import { waitingFor } from './supplied.ts';

export interface Loss {
  /** Data that are still there. */
  claims: DataClaim[];
  /** Values that were made for them and stand nowhere any more, neither in Kubernetes Secrets nor among those given. */
  keys: KeyOfPath[];
}

type Asking = Pick<Clients, 'environment' | 'catalog' | 'connections' | 'redactor' | 'vault' | 'kubernetes'>;

const claimSchema = z.looseObject({
  spec: z.looseObject({ volumeName: z.string().nullish() }).prefault({}),
});

/** Claims of services whose data depend on values of Vault. */
export async function survivingClaims({ kubernetes, catalog }: Asking, signal?: AbortSignal): Promise<DataClaim[]> {
  const namespaces = [...new Set(keepers(catalog).map(({ namespace }) => namespace))];
  const lists = await Promise.all(
    namespaces.map(async (namespace) => {
      const { items } = await kubernetes.list(paths.persistentVolumeClaims(namespace), {}, signal);
      return items.map((claim) => ({
        namespace,
        name: claim.metadata.name,
        labels: claim.metadata.labels ?? {},
        bound: Boolean(claimSchema.safeParse(claim).data?.spec.volumeName),
      }));
    }),
  );
  return dataClaims(catalog, lists.flat());
}

/** @returns undefined when there are no such data, or every value can be brought back */
export async function findLoss(clients: Asking, signal?: AbortSignal): Promise<Loss | undefined> {
  const claims = await survivingClaims(clients, signal);
  if (claims.length === 0) return undefined;
  const [made, given] = await Promise.all([madeSecrets(clients, signal), waitingFor(clients).read()]);
  const keys = generatedKeys(clients.catalog).filter(
    ({ path, key }) =>
      given[path]?.[key] === undefined &&
      !made.some((secret) => secret.path === path && secret.values[key] !== undefined && isAsMade(secret, key)),
  );
  return keys.length === 0 ? undefined : { claims, keys };
}

/** Before anything of the platform is there: whether Vault is gone with its volume, while data are left. */
export async function findLossBefore(
  clients: Asking,
  state: 'absent' | 'uninitialized',
  signal?: AbortSignal,
): Promise<Loss | undefined> {
  if (state === 'absent') {
    // Its own volume may still hold everything: nobody knows before it runs.
    const own = await clients.kubernetes.list(paths.persistentVolumeClaims(namespaceOf(clients.catalog)), {}, signal);
    if (own.items.some(({ metadata }) => metadata.labels?.['app.kubernetes.io/instance'] === VAULT.service))
      return undefined;
  }
  return findLoss(clients, signal);
}

/** @throws DeployError before Vault is initialised */
export async function refuseLoss(clients: Asking, environment: string, signal?: AbortSignal): Promise<void> {
  const loss = await findLoss(clients, signal);
  if (loss === undefined) return;
  throw new DeployError(FAILURES.secretLost, lossText(environment, loss, 'Vault was not initialised.'));
}

const MOST_NAMED = 8;

/** What happened, what is concerned, and the ways on. */
export function lossText(environment: string, { claims, keys }: Loss, done: string): string {
  const named = keys.slice(0, MOST_NAMED).map(({ path, key }) => `${path} ${key}`);
  const services = [...new Set(claims.map(({ service }) => service))];
  return [
    `Vault has lost what it held, and data that were made with its values are still there. ${done} ` +
      'No new passwords are made over old data. Still there:',
    ...claims.map(({ service, namespace, name }) => `  ${service}: PersistentVolumeClaim ${namespace}/${name}`),
    `${keys.length} ${keys.length === 1 ? 'value stands' : 'values stand'} nowhere any more, in no Kubernetes Secret either: ` +
      `${named.join(', ')}${keys.length > named.length ? ` and ${keys.length - named.length} more` : ''}`,
    ...waysOn(environment, services).map((way) => `  - ${way}`),
  ].join('\n');
}

/** Each is a sentence. */
export function waysOn(environment: string, services: readonly string[]): string[] {
  return [
    'Restore Vault: its volume, or a snapshot of it, with the unseal keys that belong to it (docs/do/runbook.md); then deploy again.',
    `Give the old values back, from Kubernetes Secrets and from a file: npm run ananta -- secrets import --env ${environment} --file FILE`,
    `Give the data up, by name: npm run ananta -- secrets import --env ${environment} --give-up ${services.join(',')}`,
    `Give up everything, with the volumes: npm run ananta -- destroy --env ${environment} --delete-data`,
  ];
}
