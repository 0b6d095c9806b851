/** What a deployment does before and beside its releases: namespaces, Vault, Secrets made from it. */
import type { Catalog } from '../../catalog/schema.ts';
import { type KubernetesClient, paths } from '../../clients/kubernetes/index.ts';
import type { PrerequisiteChange } from '../../plan/diff/types.ts';
import { wantedSecrets } from '../../plan/vault/kubernetes-secrets.ts';
import type { ObservedCluster } from '../../plan/observed.ts';

/** @param existing names of all namespaces in the cluster */
export function prerequisiteChanges(
  catalog: Catalog,
  observed: ObservedCluster,
  existing: ReadonlySet<string>,
): PrerequisiteChange[] {
  return [...namespaceChanges(catalog, observed, existing), ...vaultChanges(catalog, observed)];
}

export async function existingNamespaces(
  kubernetes: Pick<KubernetesClient, 'list'>,
  signal: AbortSignal,
): Promise<Set<string>> {
  const { items } = await kubernetes.list(paths.namespaces, { metadataOnly: true }, signal);
  return new Set(items.map(({ metadata }) => metadata.name));
}

function namespaceChanges(
  { namespaces }: Catalog,
  observed: ObservedCluster,
  existing: ReadonlySet<string>,
): PrerequisiteChange[] {
  return namespaces
    .filter(({ name }) => !observed.namespaces.has(name))
    .map(({ name }) =>
      observed.terminating?.has(name)
        ? {
            action: 'update',
            what: `Namespace ${name}`,
            why: 'it is being deleted with all that is in it: waited for, and made anew',
          }
        : existing.has(name)
          ? { action: 'update', what: `Namespace ${name}`, why: 'its labels differ' }
          : { action: 'create', what: `Namespace ${name}`, why: 'not there yet' },
    );
}

function vaultChanges(
  catalog: Catalog,
  { vault, vaultConfigured, vaultReason, vaultReasons }: ObservedCluster,
): PrerequisiteChange[] {
  if (vault === 'open') {
    const reasons = vaultReasons ?? (vaultReason === '' ? [] : [vaultReason]);
    return vaultConfigured
      ? []
      : reasons.map((reason) => {
          const secret = /^Secret (\S+) (.*)$/s.exec(reason);
          const [what, why] = secret ? [`Secret ${secret[1] ?? ''}`, secret[2] ?? ''] : ['Vault', reason];
          return { action: /\bmissing$/.test(why) ? 'create' : 'update', what, why };
        });
  }
  if (vault === 'sealed') return [{ action: 'update', what: 'Vault', why: 'it is sealed: it is unsealed' }];
  if (vault === 'unreachable')
    return [
      { action: 'update', what: 'Vault', why: `it does not answer, so nobody knows what it lacks: ${vaultReason}` },
    ];
  return [
    { action: 'create', what: 'Vault', why: 'it is initialised, unsealed and configured' },
    {
      action: 'create',
      what: `${counted(catalog.secretPaths.length, 'path')} in Vault`,
      why: 'their values are generated',
    },
    { action: 'create', what: counted(wantedSecrets(catalog).length, 'Secret'), why: 'made from Vault' },
  ];
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
