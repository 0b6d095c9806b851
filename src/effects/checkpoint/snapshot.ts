/**
 * Volumes of a server as its CSI driver keeps them: VolumeSnapshots beside the claims. As after a power cut, so what is
 * in them has to be able to come back from one, as every database is. They stay in the cluster, and go with it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Clients } from '../../clients/index.ts';
import { KubernetesError, type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import type { CheckpointRecord, KeptSnapshot } from '../../contract/checkpoint.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { OWNER_LABEL, RELEASE_LABELS } from '../../contract/names.ts';
import { digestOf } from '../../plan/digest.ts';
import { findService } from '../../plan/releases.ts';
import type { EffectScope } from '../effect.ts';
import { claimsOfPod } from '../growing/live.ts';
import { readPods, readWorkloads } from '../observe/workloads.ts';

/** Drivers take seconds to minutes; one that has not begun by then has nobody who serves its class. */
const READY_MILLISECONDS = 15 * 60_000;
const LOOK_MILLISECONDS = 2000;
/** Of a claim's name, as part of a snapshot's. */
const LONGEST_CLAIM = 150;
/** On a VolumeSnapshot: the record that it belongs to. */
const CHECKPOINT_ANNOTATION = 'ananta.dev/checkpoint';

const statusSchema = z.looseObject({
  status: z
    .looseObject({
      readyToUse: z.boolean().optional(),
      restoreSize: z.string().optional(),
      error: z.looseObject({ message: z.string().optional() }).nullish(),
    })
    .optional(),
});

export interface SnapshotRequest {
  /** Of the record that they will be on. */
  checkpoint: string;
  server: string;
  /** VolumeSnapshotClass; undefined: the default one of the claims' driver. */
  className: string | undefined;
}

type Snapshotting = Pick<Clients, 'kubernetes' | 'catalog' | 'environment'>;

/** One of each claim of the server's pods; begun again it goes on with those that are there. */
export async function takeSnapshots(
  clients: Snapshotting,
  request: SnapshotRequest,
  { signal, doing }: Pick<EffectScope, 'signal' | 'doing'>,
  pauseMilliseconds = LOOK_MILLISECONDS,
): Promise<KeptSnapshot[]> {
  const { namespace, claims } = await claimsOf(clients, request.server, signal);
  const made: KeptSnapshot[] = [];
  for (const claim of claims) {
    // By its claim: when it is begun again, other pods may be there.
    const name = `${request.checkpoint}-${claim.length > LONGEST_CLAIM ? digestOf(claim) : claim}`;
    doing(`snapshot of ${namespace}/${claim}`);
    const { uid } = await begun(clients, request, { namespace, name, claim }, signal);
    made.push({ namespace, name, uid, claim });
  }
  doing(`waits until ${made.length === 1 ? 'the snapshot is' : `${made.length} snapshots are`} ready`);
  return Promise.all(
    made.map(async (one) => ({ ...one, ...(await ready(clients, one, { signal, pauseMilliseconds })) })),
  );
}

async function claimsOf(
  { kubernetes, catalog }: Snapshotting,
  server: string,
  signal: AbortSignal,
): Promise<{ namespace: string; claims: string[] }> {
  const { namespace, name } = findService(catalog, server);
  const release = { namespace, name };
  const pods = await readPods(kubernetes, release, await readWorkloads(kubernetes, release, signal), signal);
  const claims = pods.flatMap(claimsOfPod);
  if (claims.length === 0)
    throw new DeployError(
      FAILURES.invalidInput,
      `The pods of ${namespace}/${name} have no claim that could be kept: another kind of checkpoint is needed for it.`,
    );
  return { namespace, claims: [...new Set(claims)].sort() };
}

async function begun(
  { kubernetes, environment }: Snapshotting,
  { checkpoint, className }: SnapshotRequest,
  { namespace, name, claim }: { namespace: string; name: string; claim: string },
  signal: AbortSignal,
): Promise<{ uid: string }> {
  const wanted = {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: {
      name,
      namespace,
      labels: { [OWNER_LABEL]: environment.name, [RELEASE_LABELS.environment]: environment.name },
      annotations: { [CHECKPOINT_ANNOTATION]: checkpoint },
    },
    spec: {
      source: { persistentVolumeClaimName: claim },
      ...(className === undefined ? {} : { volumeSnapshotClassName: className }),
    },
  };
  try {
    return (await kubernetes.create(paths.volumeSnapshots(namespace), wanted, signal)).metadata;
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    if (error.reason === 'AlreadyExists') {
      const found = await kubernetes.get(paths.volumeSnapshot(namespace, name), signal);
      if (found?.metadata.annotations?.[CHECKPOINT_ANNOTATION] === checkpoint) return found.metadata;
      throw new DeployError(FAILURES.notOurs, `VolumeSnapshot ${namespace}/${name} is there already, and is not ours.`);
    }
    if (error.status === 404)
      throw new DeployError(
        FAILURES.invalidInput,
        `This cluster knows no VolumeSnapshot (snapshot.storage.k8s.io/v1): checkpoints of kind volume-snapshot need a CSI driver that takes them, with its snapshot controller.`,
      );
    throw error;
  }
}

async function ready(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  one: KeptSnapshot,
  { signal, pauseMilliseconds }: { signal: AbortSignal; pauseMilliseconds: number },
): Promise<{ size?: string }> {
  const what = `VolumeSnapshot ${one.namespace}/${one.name}`;
  let said = '';
  for (const deadline = performance.now() + READY_MILLISECONDS; ; ) {
    const found = await snapshotOf(kubernetes, one, signal);
    if (found === undefined)
      throw new DeployError(FAILURES.unexpected, `${what} was deleted by somebody before it was ready.`);
    const { readyToUse, restoreSize, error } = statusSchema.parse(found).status ?? {};
    if (readyToUse === true) return restoreSize === undefined ? {} : { size: restoreSize };
    said = error?.message ?? said;
    if (performance.now() > deadline)
      throw new DeployError(
        FAILURES.unexpected,
        `${what} is not ready after ${READY_MILLISECONDS / 60_000} minutes${said === '' ? ': nobody has said why. Does a snapshot controller run, and does the class fit the driver of the claim?' : `: ${said}`}`,
      );
    await sleep(pauseMilliseconds, undefined, { signal });
  }
}

/** The very one that was made; undefined where it is gone. */
export async function snapshotOf(
  kubernetes: Pick<Clients['kubernetes'], 'get'>,
  { namespace, name, uid }: KeptSnapshot,
  signal?: AbortSignal,
): Promise<KubernetesObject | undefined> {
  const found = await kubernetes.get(paths.volumeSnapshot(namespace, name), signal);
  return found?.metadata.uid === uid ? found : undefined;
}

export function isReady(snapshot: KubernetesObject): boolean {
  return statusSchema.parse(snapshot).status?.readyToUse === true;
}

/** Those very ones; one of somebody else under the same name stays. */
export async function removeSnapshots(
  kubernetes: Pick<Clients['kubernetes'], 'remove'>,
  snapshots: readonly KeptSnapshot[],
  signal?: AbortSignal,
): Promise<void> {
  for (const { namespace, name, uid } of snapshots) {
    try {
      await kubernetes.remove(paths.volumeSnapshot(namespace, name), { uid }, signal);
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.status !== 409) throw error;
    }
  }
}

/**
 * A claim with what each snapshot holds, beside the claim that it is of, which is not touched. What is there already of
 * an earlier time stays.
 * @returns names of the claims
 */
export async function claimsFrom(
  { kubernetes, environment }: Pick<Clients, 'kubernetes' | 'environment'>,
  { snapshots = [] }: Pick<CheckpointRecord, 'snapshots'>,
  suffix: string,
  signal: AbortSignal,
): Promise<string[]> {
  const made: string[] = [];
  for (const one of snapshots) {
    const { namespace, name: snapshot, claim, size } = one;
    const found = await snapshotOf(kubernetes, one, signal);
    if (found === undefined || !isReady(found))
      throw new DeployError(FAILURES.damagedRecord, `VolumeSnapshot ${namespace}/${snapshot} is gone, or not ready.`);
    const there = await kubernetes.get(`${paths.persistentVolumeClaims(namespace)}/${claim}`, signal);
    if (there === undefined)
      throw new DeployError(
        FAILURES.invalidInput,
        `Claim ${namespace}/${claim} is gone, and with it what one like it has to ask for. VolumeSnapshot ${namespace}/${snapshot} is there and ready: make a claim with that name by hand, with the snapshot as its dataSource${size === undefined ? '' : `, of ${size} or more`}.`,
      );
    const live = claimSchema.parse(there);
    const name = `${claim}-${suffix}`;
    const wanted = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace, labels: { [OWNER_LABEL]: environment.name } },
      spec: {
        accessModes: live.spec.accessModes,
        ...(live.spec.storageClassName === undefined ? {} : { storageClassName: live.spec.storageClassName }),
        // A driver restores into no less than what the volume had.
        resources: { requests: { storage: size ?? live.spec.resources.requests.storage } },
        dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: snapshot },
      },
    };
    try {
      await kubernetes.create(paths.persistentVolumeClaims(namespace), wanted, signal);
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.reason !== 'AlreadyExists') throw error;
    }
    made.push(`${namespace}/${name}`);
  }
  return made;
}

const claimSchema = z.looseObject({
  spec: z.looseObject({
    accessModes: z.array(z.string()),
    storageClassName: z.string().optional(),
    resources: z.looseObject({ requests: z.looseObject({ storage: z.string() }) }),
  }),
});
