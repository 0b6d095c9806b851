/**
 * The authority of Vault's certificate, in every namespace whose services log in to Vault: they check the certificate
 * against it. It is no secret, and lies beside what they get from Vault.
 */
import { createHash } from 'node:crypto';
import type { Clients } from '../../clients/index.ts';
import { type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import { readAuthority } from '../../clients/vault/index.ts';
import type { DriftFinding } from '../../contract/drift.ts';
import {
  AUTHORITY_ANNOTATION,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  OWNER_LABEL,
  SECRETS_CHANGED_ANNOTATION,
  VAULT_CA_SECRET,
} from '../../contract/names.ts';
import { vaultFinding } from '../../plan/drift/vault/finding.ts';
import { isOursAlone, ownerOfField } from '../../plan/drift/vault/secret-owner.ts';
import type { ChangedSecret } from '../../plan/observed.ts';
import { serviceRoles } from '../../plan/vault/policies.ts';
import type { MadeSecret } from './secrets/made-secrets.ts';
import { namespaceOf } from './server.ts';

type Reading = Pick<Clients, 'kubernetes' | 'catalog' | 'environment'>;

const KEY = 'ca.crt';
const DIGEST_LENGTH = 16;

interface WantedAuthority {
  /** PEM. */
  authority: string;
  digest: string;
  namespaces: string[];
  /** `<namespace>/<name>` of the Secret that it is read from. */
  source: string;
}

/** @returns undefined where Vault answers without TLS, or is run by others. @throws VaultUnreachableError */
async function wantedAuthority(
  { kubernetes, catalog, environment: { vault } }: Reading,
  signal?: AbortSignal,
): Promise<WantedAuthority | undefined> {
  if (vault.tls === undefined) return undefined;
  const home = namespaceOf(catalog);
  const authority = await readAuthority(kubernetes, home, vault.tls.secret, signal);
  return {
    authority,
    digest: createHash('sha256').update(authority).digest('hex').slice(0, DIGEST_LENGTH),
    namespaces: [...new Set(serviceRoles(catalog).map(({ namespace }) => namespace))],
    source: `${home}/${vault.tls.secret}`,
  };
}

function isAsWanted(found: KubernetesObject | undefined, { digest }: Pick<WantedAuthority, 'digest'>): boolean {
  return (
    found?.metadata.annotations?.[AUTHORITY_ANNOTATION] === digest &&
    isOursAlone(found.metadata['managedFields'], ['data', KEY], MANAGED_BY)
  );
}

/**
 * For the plan.
 * @param existing Secrets of ours by `<namespace>/<name>`, without values
 */
export async function observeAuthorities(
  clients: Reading,
  existing: ReadonlyMap<string, KubernetesObject>,
  signal: AbortSignal,
): Promise<{ reasons: string[]; changed: ChangedSecret[] }> {
  const wanted = await wantedAuthority(clients, signal);
  const reasons: string[] = [];
  const changed: ChangedSecret[] = [];
  for (const namespace of wanted?.namespaces ?? []) {
    const found = existing.get(`${namespace}/${VAULT_CA_SECRET}`);
    const stale = wanted !== undefined && !isAsWanted(found, wanted);
    const changedAt = found?.metadata.annotations?.[SECRETS_CHANGED_ANNOTATION];
    if (stale)
      reasons.push(
        `Secret ${namespace}/${VAULT_CA_SECRET} ${found ? `is not the authority in ${wanted.source}` : 'is missing'}`,
      );
    if (found && (stale || changedAt !== undefined))
      changed.push({
        namespace,
        name: VAULT_CA_SECRET,
        path: '',
        stale,
        ...(changedAt === undefined ? {} : { changedAt }),
      });
  }
  return { reasons, changed };
}

/**
 * @param existing Secrets of ours by `<namespace>/<name>`, with their values
 * @param now written on those that held another authority: who has started before reads it no more
 * @returns what was written
 */
export async function writeAuthorities(
  clients: Reading,
  existing: ReadonlyMap<string, MadeSecret>,
  now: string,
  signal: AbortSignal,
): Promise<string[]> {
  const wanted = await wantedAuthority(clients, signal);
  if (wanted === undefined) return [];
  const stale = wanted.namespaces.filter((namespace) => {
    const found = existing.get(`${namespace}/${VAULT_CA_SECRET}`);
    return found?.values[KEY] !== wanted.authority || !isAsWanted(found.object, wanted);
  });
  await Promise.all(
    stale.map((namespace) => {
      const found = existing.get(`${namespace}/${VAULT_CA_SECRET}`);
      const differs = found !== undefined && found.values[KEY] !== wanted.authority;
      const before = found?.object.metadata.annotations?.[SECRETS_CHANGED_ANNOTATION];
      const changed = differs ? now : before;
      const annotations = {
        [AUTHORITY_ANNOTATION]: wanted.digest,
        ...(changed === undefined ? {} : { [SECRETS_CHANGED_ANNOTATION]: changed }),
      };
      const labels = { [MANAGED_BY_LABEL]: MANAGED_BY, [OWNER_LABEL]: clients.environment.name };
      const metadata = { name: VAULT_CA_SECRET, namespace, labels, annotations };
      const data = { [KEY]: Buffer.from(wanted.authority).toString('base64') };
      return clients.kubernetes.apply(
        paths.secret(namespace, VAULT_CA_SECRET),
        { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata, data },
        { force: true },
        signal,
      );
    }),
  );
  return stale.map((namespace) => `${namespace}/${VAULT_CA_SECRET}`);
}

/** Without it, services that log in could not reach Vault, or would trust somebody else. */
export async function authorityFindings(
  clients: Reading,
  made: readonly MadeSecret[],
  signal: AbortSignal,
): Promise<{ findings: DriftFinding[]; checked: number }> {
  const wanted = await wantedAuthority(clients, signal);
  if (wanted === undefined) return { findings: [], checked: 0 };
  const findings = wanted.namespaces.flatMap((namespace): DriftFinding[] => {
    const object = `Secret ${namespace}/${VAULT_CA_SECRET}`;
    const found = made.find((secret) => secret.namespace === namespace && secret.name === VAULT_CA_SECRET);
    const common = { area: 'secret', object, repair: 'secret' } as const;
    if (found === undefined)
      return [vaultFinding({ ...common, kind: 'missing', note: `It is made again from Secret ${wanted.source}.` })];
    if (found.values[KEY] === wanted.authority) return [];
    const { managedFields } = found.object.metadata;
    return [
      vaultFinding({
        ...common,
        kind: 'changed',
        field: `data.${KEY}`,
        was: `the authority in ${wanted.source}`,
        is: 'another one',
        value: createHash('sha256')
          .update(found.values[KEY] ?? '')
          .digest('hex'),
        ...ownerOfField(managedFields, ['data', KEY], MANAGED_BY),
      }),
    ];
  });
  return { findings, checked: wanted.namespaces.length };
}
