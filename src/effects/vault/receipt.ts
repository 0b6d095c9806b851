/**
 * A record in Vault of what its initialisation has done. A Vault that lost its data has lost this record as well, which
 * shows the loss.
 */
import type { Catalog } from '../../catalog/schema.ts';
import { KvConflictError, readKv, type VaultSession, versionOfKv, writeKv } from '../../clients/vault/index.ts';
import type { Environment } from '../../environment/schema.ts';
import { digestOf } from '../../plan/digest.ts';
import { declaredValues } from '../../plan/vault/declared-values.ts';
import { deployerRole, foundationPolicies, serviceRoles } from '../../plan/vault/policies.ts';

export interface Receipt {
  /** Digest of mounts, auth, policies and roles. */
  configured: string;
  /** Digest of paths and keys. */
  seeded: string;
  /** `path key` a line: all that had a value then. What is missing of them later was lost. */
  keys: string;
  /** Fingerprints of values are made with it, so that nobody outside can try out guesses. */
  fingerprintKey: string;
  /** ISO 8601: since when every revision of ours bears a proof. */
  provedSince: string;
}

/** In the key-value store. */
export const RECEIPT_PATH = 'ananta-deploy/receipt';

export function wantedReceipt(
  catalog: Catalog,
  environment: Pick<Environment, 'suppliedSecrets'>,
  kubernetesHost: string,
): Pick<Receipt, 'configured' | 'seeded'> {
  return {
    configured: digestOf([deployerRole(), foundationPolicies(catalog), serviceRoles(catalog), kubernetesHost]),
    seeded: digestOf([declaredValues(catalog), environment.suppliedSecrets, 'with keys']),
  };
}

export async function readReceipt(session: VaultSession, signal?: AbortSignal): Promise<Partial<Receipt>> {
  return (await readKv(session, RECEIPT_PATH, signal))?.data ?? {};
}

/** @returns whether anything had to be written */
export async function writeReceipt(
  session: VaultSession,
  part: Partial<Receipt>,
  signal?: AbortSignal,
): Promise<boolean> {
  const known = await readKv(session, RECEIPT_PATH, signal);
  if (known && Object.entries(part).every(([key, value]) => known.data[key] === value)) return false;
  try {
    await writeKv(
      session,
      RECEIPT_PATH,
      { ...known?.other, ...known?.data, ...part },
      known?.version ?? (await versionOfKv(session, RECEIPT_PATH, signal)).version,
      signal,
    );
  } catch (error) {
    // The other writer wrote the same; the next plan finds what is missing.
    if (!(error instanceof KvConflictError)) throw error;
  }
  return true;
}
