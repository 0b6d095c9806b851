/**
 * A cluster is worked on by its owner alone: compared before every change, claimed by the first operation of whoever is
 * bound to it.
 */
import { type KubernetesClient, KubernetesError } from '../../clients/kubernetes/index.ts';
import type { ClusterIdentity } from '../../contract/cluster.ts';
import type { ClusterOwner } from '../../contract/owner.ts';
import type { Owners } from '../../plan/ownership/foreign-object.ts';
import { type Claimant, type Ownership, requireOwnership, requireUnclaimed } from '../../plan/ownership/ownership.ts';
import {
  createOwner,
  labelledEnvironments,
  type OwnerKeeper,
  readableOwner,
  readOwner,
  replaceOwner,
} from './record.ts';

export interface Claim extends Claimant {
  /** As the environment's file says: it can add protection, never lift it. */
  protected: boolean;
  /** `user@host`. */
  boundBy: string;
  /** ISO 8601; absent: now. */
  at?: string;
  /** The engine has bound the environment to this very cluster. */
  bound: boolean;
}

const ATTEMPTS = 5;

/**
 * Looks only; commands that change nothing ask so.
 * @throws OwnerMismatchError
 */
export async function ownershipOf(
  kubernetes: Pick<KubernetesClient, 'get' | 'list'>,
  claimant: Claimant & Pick<Claim, 'bound'>,
  signal?: AbortSignal,
): Promise<Ownership> {
  const found = await readOwner(kubernetes, signal);
  if (found) return { state: 'ours', owner: requireOwnership(claimant, readableOwner(found)) };
  requireUnclaimed(claimant, { bound: claimant.bound, labelled: await labelledEnvironments(kubernetes, signal) });
  return { state: 'unclaimed' };
}

/**
 * From now on the cluster is the claimant's, unless it is somebody's already. Of two at the same moment one wins.
 * @throws OwnerMismatchError
 */
export async function claimCluster(kubernetes: OwnerKeeper, claim: Claim, signal?: AbortSignal): Promise<ClusterOwner> {
  for (;;) {
    const found = await readOwner(kubernetes, signal);
    if (!found) {
      requireUnclaimed(claim, { bound: claim.bound, labelled: await labelledEnvironments(kubernetes, signal) });
      const owner = ownerOf(claim);
      if (await createOwner(kubernetes, owner, signal)) return owner;
      continue;
    }
    return requireOwnership(claim, readableOwner(found));
  }
}

/**
 * The environment's file asks for protection: from now on it is a fact of the cluster. Under the lock, so that no
 * running operation is surprised by it.
 */
export async function protectCluster(kubernetes: OwnerKeeper, signal?: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await readOwner(kubernetes, signal);
    if (!found?.owner || found.owner.protected) return;
    try {
      await replaceOwner(kubernetes, { ...found.owner, protected: true }, found.resourceVersion, signal);
      return;
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.status !== 409 || attempt >= ATTEMPTS) throw error;
    }
  }
}

export function ownerOf({ environment, platform, cluster, protected: isProtected, boundBy, at }: Claim): ClusterOwner {
  return {
    environment,
    platform,
    protected: isProtected,
    cluster: identityOnly(cluster),
    boundBy,
    at: at ?? new Date().toISOString(),
    formerly: [],
  };
}

function identityOnly({ uid, authority }: ClusterIdentity): ClusterIdentity {
  return { uid, ...(authority === undefined ? {} : { authority }) };
}

const RECENT_MILLISECONDS = 5000;
const recent = new WeakMap<object, { at: number; owner: Promise<ClusterOwner | undefined> }>();

/** As of a few seconds ago, and one question however many ask at once: workers ask before every step. */
export function recentOwner(kubernetes: Pick<KubernetesClient, 'get'>): Promise<ClusterOwner | undefined> {
  const known = recent.get(kubernetes);
  if (known && Date.now() - known.at < RECENT_MILLISECONDS) return known.owner;
  const owner = readOwner(kubernetes).then((found) => found && readableOwner(found));
  recent.set(kubernetes, { at: Date.now(), owner });
  owner.catch(() => recent.delete(kubernetes));
  return owner;
}

/** Environments that this one took the cluster over from: what carries their name is its own. */
export async function formerNames(
  kubernetes: Pick<KubernetesClient, 'get'>,
  environment: string,
): Promise<readonly string[]> {
  const owner = await recentOwner(kubernetes);
  return owner?.environment === environment ? owner.formerly : [];
}

/** What carries one of these names is the environment's: its own, then those that it took the cluster over from. */
export async function ownNames(kubernetes: Pick<KubernetesClient, 'get'>, environment: string): Promise<Owners> {
  return [environment, ...(await formerNames(kubernetes, environment))];
}

/** Drops the cached owner: it was just written, or found to be another environment. */
export function forgetOwner(kubernetes: object): void {
  recent.delete(kubernetes);
}
