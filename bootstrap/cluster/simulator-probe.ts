/**
 * Checks that the simulator acts on all of its Stages: a pod becomes ready, a claim gets its volume, a volume goes.
 *
 * It can start without some of them: it keeps a copy of its Stages by the newest version that its watch has reported,
 * and when that is ahead of what it has read (many Stages at once on a busy machine), the copy lacks some until another
 * Stage changes, and with them all pods or all volumes (KWOK 0.8: `config/resources/cache.go`, `StagesManager.manage`;
 * until then it does not start that controller again either). Nodes are ready all the same. So it is tried out, and
 * gets its Stages again when something does not happen.
 */
import { randomUUID } from 'node:crypto';
import { waitWhileMoving } from '../process/wait.ts';
import { type Api, ApiError } from './api.ts';
import { STORAGE_CLASS } from './stages/volumes.ts';
import { resyncStages, touch } from './touch.ts';

const NAMESPACE = 'kube-system';
const NAME = 'simulator-proof';
const TOKEN = 'simulation.ananta.dev/proof';
/** A working one needs well under a second. */
const RESYNC_AFTER_MS = 2_000;
const STANDSTILL_MS = 60_000;

export interface ProbeOptions {
  signal?: AbortSignal | undefined;
  /** The simulator had to get its Stages again. @param what it did not do */
  onResync?: ((what: string) => void) | undefined;
  /** Words that change as long as simulator and controllers move. */
  signs?: (() => Promise<string>) | undefined;
}

interface Metadata {
  name: string;
  annotations?: Record<string, string>;
}
interface Pod {
  metadata: Metadata;
  status?: { conditions?: { type: string; status: string }[] };
}
interface Claim {
  metadata: Metadata;
  spec: { volumeName?: string };
  status?: { phase?: string };
}

/**
 * @param node a simulated one
 * @throws WaitTimeoutError when the simulator does not act although it got its Stages again and again
 */
export async function probeSimulator(
  api: Pick<Api, 'request'>,
  node: string,
  options: ProbeOptions = {},
): Promise<void> {
  const token = randomUUID();
  await Promise.all([probePods(api, node, token, options), probeVolumes(api, token, options)]);
}

async function probePods(api: Pick<Api, 'request'>, node: string, token: string, options: ProbeOptions): Promise<void> {
  const collection = `/api/v1/namespaces/${NAMESPACE}/pods`;
  const spec = {
    nodeName: node,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'proof', image: 'none' }],
  };
  await until('make a pod ready', collection, api, options, async () => {
    const pod = await ours<Pod>(api, collection, token, { kind: 'Pod', spec });
    return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
      ? true
      : undefined;
  });
  await remove(api, collection);
}

async function probeVolumes(api: Pick<Api, 'request'>, token: string, options: ProbeOptions): Promise<void> {
  const collection = `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims`;
  const spec = {
    storageClassName: STORAGE_CLASS,
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Mi' } },
  };
  const volume = await until('make a volume', collection, api, options, async () => {
    const claim = await ours<Claim>(api, collection, token, { kind: 'PersistentVolumeClaim', spec });
    return claim?.status?.phase === 'Bound' ? claim.spec.volumeName : undefined;
  });
  await remove(api, collection);
  await until(
    'delete a volume',
    '/api/v1/persistentvolumes',
    api,
    options,
    async () => ((await get(api, `/api/v1/persistentvolumes/${volume}`)) === undefined ? true : undefined),
    volume,
  );
}

/** The object of this very probe: one that an earlier probe has left shows nothing. */
async function ours<T extends { metadata: Metadata }>(
  api: Pick<Api, 'request'>,
  collection: string,
  token: string,
  object: { kind: string; spec: unknown },
): Promise<T | undefined> {
  const found = await get<T>(api, `${collection}/${NAME}`);
  if (found?.metadata.annotations?.[TOKEN] === token) return found;
  if (found !== undefined) {
    await remove(api, collection);
    return undefined;
  }
  return (await api.request('POST', collection, {
    type: 'application/json',
    content: { apiVersion: 'v1', ...object, metadata: { name: NAME, annotations: { [TOKEN]: token } } },
  })) as T;
}

async function get<T>(api: Pick<Api, 'request'>, path: string): Promise<T | undefined> {
  try {
    return (await api.request('GET', path)) as T;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

async function remove(api: Pick<Api, 'request'>, collection: string): Promise<void> {
  await api.request('DELETE', `${collection}/${NAME}?gracePeriodSeconds=0`).catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  });
}

/**
 * Looks until it is done; every now and then the simulator gets its Stages again. @param name of the object that it has
 * to see
 */
async function until<T>(
  what: string,
  collection: string,
  api: Pick<Api, 'request'>,
  { signal, onResync, signs = () => Promise.resolve('') }: ProbeOptions,
  look: () => Promise<T | undefined>,
  name = NAME,
): Promise<T> {
  let resyncAt = performance.now() + RESYNC_AFTER_MS;
  return waitWhileMoving(
    `kwok-controller has to ${what}`,
    { standstillMs: STANDSTILL_MS, intervalMs: 40, signal, signs },
    async () => {
      try {
        const done = await look();
        if (done !== undefined || performance.now() < resyncAt) return done;
        resyncAt = performance.now() + RESYNC_AFTER_MS;
        await resyncStages(api);
        await touch(api, `${collection}/${name}`);
        onResync?.(what);
      } catch (error) {
        // An API server that is away, or starting, comes back; what it refuses for good, it refuses again.
        if (error instanceof ApiError && error.status < 500 && ![404, 409, 429].includes(error.status)) throw error;
      }
      return undefined;
    },
  );
}
