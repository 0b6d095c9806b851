/**
 * Whose cluster it is, judged from the cluster's record or, where there is none yet, from what else proves it. Pure.
 */
import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';
import { type ClusterIdentity, clusterDifference } from '../../contract/cluster.ts';
import type { ClusterOwner } from '../../contract/owner.ts';

/** Who wants to work on the cluster. */
export interface Claimant {
  environment: string;
  platform: string;
  /** As the cluster answers now. */
  cluster: ClusterIdentity;
}

/** What there is beside a record. */
export interface Evidence {
  /** The engine has bound the environment to this very cluster. */
  bound: boolean;
  /** Environments whose name releases in the cluster carry, each with one of them: `<namespace>/<release>`. */
  labelled: ReadonlyMap<string, string>;
}

export type Ownership =
  /** The record names the claimant. */
  | { state: 'ours'; owner: ClusterOwner }
  /** There is no record, and one may be written. */
  | { state: 'unclaimed' };

/** The cluster belongs to somebody else, or it cannot be excluded. Nothing was touched. */
export class OwnerMismatchError extends AnantaError {
  override name = 'OwnerMismatchError';
  override readonly type = FAILURES.clusterOwned;
  override readonly exitCode = EXIT_CODES.refused;
  /** Environment that owns the cluster, where that is known. */
  readonly owner: string | undefined;
  /** What helps: binding anew is enough, or the cluster has to be taken over. */
  readonly remedy: 'rebind' | 'take-over';

  constructor(message: string, remedy: OwnerMismatchError['remedy'], owner?: string) {
    super(`${message} Nothing was changed.`);
    this.owner = owner;
    this.remedy = remedy;
  }
}

/** @throws OwnerMismatchError that names the owner */
export function requireOwnership(claimant: Claimant, owner: ClusterOwner): ClusterOwner {
  const { environment, platform, cluster } = claimant;
  if (owner.environment !== environment) {
    throw new OwnerMismatchError(
      `This cluster belongs to environment ${describeOwner(owner)}: "${environment}" is another one.`,
      'take-over',
      owner.environment,
    );
  }
  if (owner.platform !== platform) {
    throw new OwnerMismatchError(
      `This cluster belongs to platform "${owner.platform}" of environment ${describeOwner(owner)}: "${platform}" is another one.`,
      'take-over',
      owner.environment,
    );
  }
  const difference = clusterDifference(owner.cluster, cluster);
  if (difference !== undefined) {
    throw new OwnerMismatchError(
      `The owner record of this cluster was written in another one (${difference}): a copy proves nothing.`,
      'rebind',
      owner.environment,
    );
  }
  return owner;
}

/** As `requireOwnership`, for callers that do not need the reason. */
export function isOwner(claimant: Claimant, owner: ClusterOwner): boolean {
  try {
    requireOwnership(claimant, owner);
    return true;
  } catch (error) {
    if (error instanceof OwnerMismatchError) return false;
    throw error;
  }
}

/**
 * A cluster without a record: one that is new, or one that was deployed to before there were records.
 * @throws OwnerMismatchError where releases carry another environment's name
 */
export function requireUnclaimed({ environment }: Pick<Claimant, 'environment'>, { bound, labelled }: Evidence): void {
  const [other] = [...labelled].filter(([name]) => name !== environment);
  if (other === undefined) return;
  const [name, release] = other;
  const own = bound || labelled.has(environment);
  throw new OwnerMismatchError(
    `This cluster has no owner record, and its release ${release} was deployed by environment "${name}"${own ? `, others by "${environment}": nobody can tell whose it is` : ''}.`,
    'take-over',
    name,
  );
}

/** `"prod" (protected, bound by ops@ci at …)` */
export function describeOwner({ environment, protected: isProtected, boundBy, at }: ClusterOwner): string {
  return `"${environment}" (${isProtected ? 'protected, ' : ''}bound by ${boundBy} at ${at})`;
}

/** Whether what carries an environment's name belongs to the owner. */
export function isNameOfOwner(
  { environment, formerly }: Pick<ClusterOwner, 'environment' | 'formerly'>,
  name: string,
): boolean {
  return name === environment || formerly.includes(name);
}

export interface ReboundRecord {
  /** As the record has to be from now on. */
  owner: ClusterOwner;
  /** Whether that is something else than what is there. */
  changed: boolean;
  /** Why the cluster has to be taken over; absent: it is the claimant's, or nobody's. */
  why?: string;
  /** Environments that it is taken from, as far as they are known. */
  from: string[];
  /** It was protected, and is not any more. */
  lifted: boolean;
}

/**
 * What binding the cluster anew makes of its record. Protection is kept, also that of who gives it up, unless it is
 * lifted.
 * @param found `record` without an owner: damaged
 */
export function rebound(
  found: { record?: { owner?: ClusterOwner }; labelled: ReadonlyMap<string, string> },
  claimant: Claimant & { protected: boolean; boundBy: string; at: string; liftProtection: boolean },
): ReboundRecord {
  const { environment, platform, cluster, boundBy, at } = claimant;
  const known = found.record?.owner;
  const why = whyNotOwned(claimant, found);
  const protectedNow = known?.protected ?? found.record !== undefined;
  const isProtected = claimant.protected || (protectedNow && !claimant.liftProtection);
  const fresh = { environment, platform, protected: isProtected, cluster, boundBy, at };
  const lifted = protectedNow && !isProtected;
  if (why === undefined) {
    const same = known !== undefined && clusterDifference(known.cluster, cluster) === undefined;
    const owner = { ...(same && known.protected === isProtected ? known : fresh), formerly: known?.formerly ?? [] };
    return { owner, changed: !(same && known.protected === isProtected), from: [], lifted };
  }
  const from = known ? [known.environment] : [...found.labelled.keys()].filter((name) => name !== environment);
  const formerly = [...new Set([...(known?.formerly ?? []), ...from])].filter((name) => name !== environment);
  return { owner: { ...fresh, formerly }, changed: true, why, from, lifted };
}

/** Absent: it is the claimant's already, in this cluster or in that which it was copied from, or nobody's. */
function whyNotOwned(claimant: Claimant, found: Parameters<typeof rebound>[0]): string | undefined {
  const { record, labelled } = found;
  try {
    if (record === undefined) requireUnclaimed(claimant, { bound: false, labelled });
    else if (record.owner === undefined) return 'The owner record of this cluster is damaged.';
    else requireOwnership({ ...claimant, cluster: record.owner.cluster }, record.owner);
    return undefined;
  } catch (error) {
    if (error instanceof OwnerMismatchError) return error.message;
    throw error;
  }
}
