/** How Vault runs now against how it shall run: what of it cannot be changed over existing data. Pure. */
import type { Service } from '../../catalog/schema.ts';
import type { Environment } from '../../environment/schema.ts';
import { chartSource, PlanRefusedError } from '../charts/source.ts';
import { isPlainVault, vaultPods } from './values.ts';
import type { ObservedVaultServer } from '../observed.ts';

/** @throws PlanRefusedError that says what stands in the way and what a person can do */
export function checkVaultServer(
  environment: Pick<Environment, 'name' | 'vault' | 'charts' | 'chartOverrides'>,
  service: Service,
  seen: ObservedVaultServer | undefined,
): void {
  if (seen === undefined) return;
  const { vault, name } = environment;
  const source = chartSource(environment, service);
  if (seen.replicas > vault.replicas && source === 'upstream' && isPlainVault(vault)) {
    throw new PlanRefusedError(
      `Vault runs ${seen.replicas} servers on raft, and environment "${name}" asks for one of the publisher's chart, which keeps its data in files and would begin empty. ` +
        'Keep vault.replicas: 3 or more, or move the data yourself first: vault operator migrate.',
    );
  }
  if (seen.configuration === undefined) return;
  if (
    /^storage "file"/m.test(seen.configuration.replaceAll(/^\s+/gm, '')) &&
    (source === 'bundled' || !isPlainVault(vault))
  ) {
    throw new PlanRefusedError(
      `Vault keeps its data in files (one server of the publisher's chart); ${vault.replicas > 1 ? `${vault.replicas} servers` : 'a sealed storage or TLS'} on raft cannot read them. ` +
        'Keep vault.replicas: 1 without vault.seal, or move the data yourself first: vault operator migrate.',
    );
  }
  const now = /^seal "(\w+)"/m.exec(seen.configuration.replaceAll(/^\s+/gm, ''))?.[1];
  if (now !== vault.seal?.type) {
    const words = (type: string | undefined): string =>
      type === undefined ? 'its unseal keys' : `the key service ${type}`;
    throw new PlanRefusedError(
      `Vault is opened by ${words(now)}, and environment "${name}" asks for ${words(vault.seal?.type)}: data have to be sealed anew for that, which only people with the shares can do (vault operator unseal -migrate). ` +
        "Keep vault.seal as it was, or migrate by hand first, following Vault's documentation.",
    );
  }
}

/** Why servers need work although Vault is unsealed; undefined when they need none. */
export function serverReason(seen: ObservedVaultServer | undefined): string | undefined {
  if (seen === undefined || seen.outdatedPods === 0) return undefined;
  return `${seen.outdatedPods} of ${seen.replicas} pods run an older template: they are replaced one by one, each unsealed before the next`;
}

/**
 * Servers that go when Vault has fewer of them: a StatefulSet ends the last ones first.
 * @param wanted how many there shall be
 * @returns names as of their pods, the last first; none where there are not too many
 */
export function leavingServers(
  service: Pick<Service, 'name'>,
  seen: Pick<ObservedVaultServer, 'replicas'> | undefined,
  wanted: number,
): string[] {
  return seen === undefined ? [] : vaultPods(service, seen.replicas).slice(wanted).toReversed();
}
