/**
 * One proxy per class of effect, each with its own timeouts and retries. Workflows have effects through these alone.
 */
import { ActivityCancellationType, type ActivityInterfaceFor, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../contract/activities.ts';
import { NON_RETRYABLE } from '../contract/failures.ts';

/**
 * Every activity heartbeats at least every 2 s. A killed worker is noticed after 6 s: three missed beats, so that a
 * busy machine is not mistaken for a dead one.
 */
const HEARTBEAT = '6 seconds';

/**
 * How often and for how long depends on the class of the failure and on the environment, so the activities themselves
 * say when it is enough (src/activities/retry). This only makes sure that everything ends, also where every attempt
 * dies without a word.
 */
const LONGEST = '1 day';

const retry = {
  initialInterval: '300 milliseconds',
  backoffCoefficient: 2,
  /** A component that comes back is used within 5 s. */
  maximumInterval: '5 seconds',
  nonRetryableErrorTypes: [...NON_RETRYABLE],
};

/** Reads of the cluster: harmless to repeat, so cancellation need not wait for them. */
export const reads = proxyActivities<
  Pick<
    Activities,
    | 'makePlan'
    | 'planRollback'
    | 'planUndo'
    | 'planRepair'
    | 'planAdopt'
    | 'planRotate'
    | 'planDestroy'
    | 'checkFreeze'
    | 'collectEvidence'
    | 'lockHolder'
  >
>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: HEARTBEAT,
  retry: { ...retry, maximumAttempts: 60 },
});

/** Somebody waits for the answer: a cluster that does not answer is reported soon. */
export const attestations = attestationsOf();

/** The same by the workers of another environment. */
export function attestationsOf(taskQueue?: string): ActivityInterfaceFor<Pick<Activities, 'readAttestation'>> {
  return proxyActivities<Pick<Activities, 'readAttestation'>>({
    ...(taskQueue === undefined ? {} : { taskQueue }),
    startToCloseTimeout: '20 seconds',
    scheduleToCloseTimeout: '1 minute',
    heartbeatTimeout: HEARTBEAT,
    retry,
  });
}

/** Small idempotent writes to Kubernetes. */
export const writes = proxyActivities<
  Pick<Activities, 'recordResult' | 'removeDriftSchedule' | 'recordDrift' | 'repairFindings' | 'adoptReleases'>
>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: HEARTBEAT,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { ...retry, maximumAttempts: 100 },
});

/**
 * Namespaces that somebody is deleting are waited for: the activity names what holds them, long before this is over.
 */
export const namespaces = proxyActivities<Pick<Activities, 'ensureNamespaces'>>({
  startToCloseTimeout: '15 minutes',
  heartbeatTimeout: HEARTBEAT,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { ...retry, maximumAttempts: 100 },
});

/** As long as bytes move; a file of gigabytes to a slow disk takes its time. */
export const backups = proxyActivities<Pick<Activities, 'makeBackup'>>({
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '110 minutes',
  heartbeatTimeout: HEARTBEAT,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { ...retry, maximumInterval: '1 minute' },
});

/** A dump takes as long as the database is large; every attempt begins it anew. */
export const checkpoints = proxyActivities<Pick<Activities, 'takeCheckpoint'>>({
  startToCloseTimeout: '6 hours',
  scheduleToCloseTimeout: LONGEST,
  heartbeatTimeout: HEARTBEAT,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry,
});

/**
 * Volumes grow in the storage's own time: the activity knows its own deadline and ends a little before this one. What
 * is cancelled has changed nothing by halves.
 */
export function volumes(
  timeoutSeconds: number,
): ActivityInterfaceFor<Pick<Activities, 'expandClaims' | 'replaceStatefulSets'>> {
  return proxyActivities<Pick<Activities, 'expandClaims' | 'replaceStatefulSets'>>({
    startToCloseTimeout: (timeoutSeconds + 60) * 1000,
    scheduleToCloseTimeout: LONGEST,
    heartbeatTimeout: HEARTBEAT,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
  });
}

/** After all is done: an API server or engine that is away is waited for a minute or so, not longer. */
export const records = proxyActivities<Pick<Activities, 'recordVersion' | 'ensureDriftSchedule'>>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: HEARTBEAT,
  retry: { ...retry, maximumAttempts: 20 },
});

/** At the end of what was interrupted: worth a minute, not more. */
export const unlocking = proxyActivities<Pick<Activities, 'settleReleases'>>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '2 minutes',
  heartbeatTimeout: HEARTBEAT,
  retry: { ...retry, maximumAttempts: 15 },
});

/** Reads of the whole cluster and of Vault. */
export const surveys = proxyActivities<Pick<Activities, 'findDrift'>>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: HEARTBEAT,
  retry: { ...retry, maximumAttempts: 20 },
});

/** Somebody else's program or server: tried a few times, and never in the way of the operation. */
export const outside = proxyActivities<Pick<Activities, 'notify'>>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: HEARTBEAT,
  retry: { ...retry, maximumAttempts: 3 },
});

/**
 * One attempt to deliver; the workflow `notification` decides on the next one. A worker that is lost costs no attempt.
 */
export const notificationDelivery = proxyActivities<Pick<Activities, 'addressNotification' | 'deliverNotification'>>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: HEARTBEAT,
  retry: { ...retry, maximumAttempts: 10 },
});

/** No operation waits for this, so it may wait for a cluster that does not answer. */
export const notificationRecords = proxyActivities<Pick<Activities, 'settleNotification'>>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: LONGEST,
  heartbeatTimeout: HEARTBEAT,
  retry,
});

const LOCK_WAITS = { startToCloseTimeout: '7 days', heartbeatTimeout: HEARTBEAT, retry } as const;

/** As long as the holder takes: only whoever waits can end it. */
export const lockWaits = proxyActivities<Pick<Activities, 'awaitLockFree'>>(LOCK_WAITS);

/** The same by the workers of another environment. */
export function lockWaitsOf(taskQueue: string): ActivityInterfaceFor<Pick<Activities, 'awaitLockFree'>> {
  return proxyActivities<Pick<Activities, 'awaitLockFree'>>({ ...LOCK_WAITS, taskQueue });
}

/** Somebody else's operation: as long as it takes. */
export const others = proxyActivities<Pick<Activities, 'awaitOperation'>>(LOCK_WAITS);

/** Charts may have to be fetched and rendered. */
export const preparations = proxyActivities<Pick<Activities, 'prepareDeployment'>>({
  startToCloseTimeout: '10 minutes',
  scheduleToCloseTimeout: '2 hours',
  heartbeatTimeout: HEARTBEAT,
  retry,
});

/** By the workers of another environment, where there are any on this engine. */
export function versionsOf(taskQueue: string): ActivityInterfaceFor<Pick<Activities, 'readVersion'>> {
  return proxyActivities<Pick<Activities, 'readVersion'>>({
    taskQueue,
    startToCloseTimeout: '1 minute',
    scheduleToStartTimeout: '2 minutes',
    scheduleToCloseTimeout: '10 minutes',
    heartbeatTimeout: HEARTBEAT,
    retry,
  });
}

/** All health checks and checks of a platform, by the workers of its environment. */
export function looksOf(taskQueue: string): ActivityInterfaceFor<Pick<Activities, 'lookAtPlatform'>> {
  return proxyActivities<Pick<Activities, 'lookAtPlatform'>>({
    taskQueue,
    startToCloseTimeout: '30 minutes',
    heartbeatTimeout: HEARTBEAT,
    retry: { ...retry, maximumAttempts: 20 },
  });
}

/** Namespaces go when the last of their objects has gone: the activity knows its own deadline and names what hangs. */
export const pruning = proxyActivities<Pick<Activities, 'removeRemains'>>({
  startToCloseTimeout: '30 minutes',
  scheduleToCloseTimeout: LONGEST,
  heartbeatTimeout: HEARTBEAT,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry,
});

/** Helm again, with the same reasons for its timeouts as below. */
export function removals(helmTimeoutSeconds: number): ActivityInterfaceFor<Pick<Activities, 'removeRelease'>> {
  return proxyActivities<Pick<Activities, 'removeRelease'>>({
    startToCloseTimeout: (2 * helmTimeoutSeconds + 60) * 1000,
    scheduleToCloseTimeout: LONGEST,
    heartbeatTimeout: HEARTBEAT,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
  });
}

/** Vault: each call takes milliseconds, a sealed or restarting server is waited for by retrying. */
export const vault = proxyActivities<
  Pick<Activities, 'openVault' | 'configureVault' | 'seedVault' | 'syncSecrets' | 'removeRaftPeers'>
>({
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: LONGEST,
  heartbeatTimeout: HEARTBEAT,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry,
});

/** A server that keeps the secret may have to be restarted: the activity knows how long that may take. */
export const rotation = proxyActivities<Pick<Activities, 'rotateSecret' | 'restartRelease'>>({
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: LONGEST,
  heartbeatTimeout: HEARTBEAT,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry,
});

/**
 * Helm: the activity's timeout is Helm's own plus the time it may queue for a slot. Cancelled only when Helm has really
 * ended, or the cluster would change behind a closed workflow.
 */
export function helm(
  helmTimeoutSeconds: number,
): ActivityInterfaceFor<Pick<Activities, 'applyRelease' | 'rollbackRelease'>> {
  return proxyActivities<Pick<Activities, 'applyRelease' | 'rollbackRelease'>>({
    startToCloseTimeout: (2 * helmTimeoutSeconds + 60) * 1000,
    scheduleToCloseTimeout: LONGEST,
    heartbeatTimeout: HEARTBEAT,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
  });
}

/** Waiting for health: the activity knows its own deadline and ends a little before this one. */
export function waits(healthTimeoutSeconds: number): ActivityInterfaceFor<Pick<Activities, 'awaitHealthy'>> {
  return proxyActivities<Pick<Activities, 'awaitHealthy'>>({
    startToCloseTimeout: (healthTimeoutSeconds + 60) * 1000,
    scheduleToCloseTimeout: LONGEST,
    heartbeatTimeout: HEARTBEAT,
    retry,
  });
}

/**
 * Checks of the verification stage: each knows its own deadline; what it has made is removed before it counts as ended.
 */
export function checks(timeoutSeconds: number): ActivityInterfaceFor<Pick<Activities, 'runCheck'>> {
  return proxyActivities<Pick<Activities, 'runCheck'>>({
    startToCloseTimeout: (timeoutSeconds + 120) * 1000,
    scheduleToCloseTimeout: LONGEST,
    heartbeatTimeout: HEARTBEAT,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
  });
}
