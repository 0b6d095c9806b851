/** What putting a backup back would do to what is there, and what of it has to be asked for in words. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { BackedUpVault, BackupManifest, BackupPart, KeptObject } from '../../contract/backup.ts';
import type { ClusterOwner } from '../../contract/owner.ts';

/** What is written over only when it is named. */
export const RESTORE_OVER = ['newer', 'another-vault', 'another-cluster'] as const;
export type RestoreOver = (typeof RESTORE_OVER)[number];

/** What the cluster and its Vault hold now. */
export interface SeenForRestore {
  clusterUid: string;
  owner: ClusterOwner | undefined;
  /** Records of the environment, by name. */
  records: ReadonlyMap<string, KeptObject>;
  vault:
    | { state: 'open'; id: string; paths: Readonly<Record<string, number>> | 'unknown' }
    | { state: 'sealed' | 'absent' | 'unreachable' | 'uninitialized' | 'external' };
  /** Unseal keys of the Vault in the backup are at hand. */
  keysGiven: boolean;
}

export type RecordAction = 'create' | 'replace' | 'merge' | 'keep' | 'leave';
export interface RecordStep {
  kind: NonNullable<BackupManifest['records']>[number]['kind'];
  name: string;
  action: RecordAction;
}

export interface VaultStep {
  /** `finish`: it is sealed, perhaps by a restoration that was cut off; what there is to do shows. */
  action: 'none' | 'restore' | 'finish';
  /** Paths that have newer versions now, or that the backup does not have: they go back, or go. */
  lost: string[];
}

export interface RestorePlan {
  records: RecordStep[];
  vault: VaultStep;
  /** What has to be asked for in words. */
  needs: { over: RestoreOver; why: string }[];
  /** What stands in the way whatever is asked for. */
  problems: string[];
}

export function planRestore(
  { manifest, records }: { manifest: BackupManifest; records: readonly KeptObject[] },
  seen: SeenForRestore,
  only: BackupPart | undefined,
): RestorePlan {
  const needs: RestorePlan['needs'] = [];
  const problems: string[] = [];
  if (manifest.cluster.uid !== seen.clusterUid)
    needs.push({
      over: 'another-cluster',
      why: `the backup is of another cluster (kube-system uid ${manifest.cluster.uid}, this one is ${seen.clusterUid})`,
    });
  const steps = only === 'vault' ? [] : recordSteps(manifest, records, seen);
  const replaced = steps.filter(({ action }) => action === 'replace');
  if (replaced.length > 0)
    needs.push({
      over: 'newer',
      why: `records that were written since the backup would go: ${listed(replaced.map(({ name }) => name))}`,
    });
  const wanted = only === 'records' ? undefined : manifest.vault;
  const vault = wanted === undefined ? NOTHING : vaultStep(wanted, seen, needs, problems);
  return { records: steps, vault, needs, problems };
}

const NOTHING: VaultStep = { action: 'none', lost: [] };

function recordSteps(
  { records: entries = [], cluster }: BackupManifest,
  records: readonly KeptObject[],
  seen: SeenForRestore,
): RecordStep[] {
  const elsewhere = cluster.uid !== seen.clusterUid;
  return entries.map(({ kind, name }, index): RecordStep => {
    const now = seen.records.get(name);
    const then = records[index];
    if (kind === 'owner') {
      // In another cluster it is claimed as every cluster is: a copy of the record would prove nothing.
      if (seen.owner !== undefined) return { kind, name, action: 'keep' };
      return { kind, name, action: elsewhere ? 'leave' : 'create' };
    }
    if (now === undefined) return { kind, name, action: 'create' };
    if (isDeepStrictEqual(now.data, then?.data)) return { kind, name, action: 'keep' };
    // These records are immutable and named after a run.
    if (kind === 'audit' || kind === 'checkpoint') return { kind, name, action: 'keep' };
    if (kind === 'drift') return { kind, name, action: driftAction(now, then) };
    return { kind, name, action: 'replace' };
  });
}

/** Only acceptances, which people made, are put back; counts of repairs and former runs are not. */
function driftAction(now: KeptObject, then: KeptObject | undefined): RecordAction {
  const [current, kept] = [acceptedIn(now), acceptedIn(then)];
  if (kept.length === 0 || kept.every((one) => current.some((other) => isDeepStrictEqual(one, other)))) return 'keep';
  return current.length === 0 ? 'merge' : 'replace';
}

export function acceptedIn(state: KeptObject | undefined): unknown[] {
  try {
    const parsed = JSON.parse(state?.data['state.json'] ?? '{}') as { acceptances?: unknown };
    return Array.isArray(parsed.acceptances) ? parsed.acceptances : [];
  } catch {
    return [];
  }
}

function vaultStep(
  wanted: BackedUpVault,
  { vault, keysGiven }: SeenForRestore,
  needs: RestorePlan['needs'],
  problems: string[],
): VaultStep {
  if (vault.state === 'sealed') return { action: 'finish', lost: [] };
  const noKeys =
    'after that only the unseal keys of the Vault in the backup open it, and they are never in a backup: name the file that you have kept of them (--keys FILE)';
  if (vault.state === 'uninitialized') {
    if (!keysGiven) problems.push(noKeys);
    return { action: 'restore', lost: [] };
  }
  if (vault.state !== 'open') {
    problems.push(
      vault.state === 'external'
        ? 'Vault is run by others (vault.external): they put it back'
        : `a Vault has to run that the snapshot can be given to, and this one is ${vault.state}: deploy it first`,
    );
    return NOTHING;
  }
  if (vault.id !== wanted.id) {
    needs.push({
      over: 'another-vault',
      why: `the Vault that runs is another one (${vault.id}; the backup is of ${wanted.id}): all that is in it goes`,
    });
    if (!keysGiven) problems.push(noKeys);
    return { action: 'restore', lost: vault.paths === 'unknown' ? [] : Object.keys(vault.paths) };
  }
  if (vault.paths === 'unknown') return { action: 'finish', lost: [] };
  if (isDeepStrictEqual({ ...vault.paths }, wanted.paths)) return NOTHING;
  const lost = Object.entries(vault.paths)
    .filter(([path, version]) => version > (wanted.paths[path] ?? 0))
    .map(([path]) => path)
    .sort();
  if (lost.length > 0)
    needs.push({
      over: 'newer',
      why: `secrets that were written since the backup would go back to what they were, or go: ${listed(lost)}`,
    });
  return { action: 'restore', lost };
}

/** At most so many by name. */
const NAMED = 6;

function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return more > 0 ? `${names.slice(0, NAMED).join(', ')} and ${more} more` : names.join(', ');
}
