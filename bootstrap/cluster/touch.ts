/** The simulator acts on events alone: what it has to look at again is touched. */
import { type Api, ApiError } from './api.ts';

const TOUCHED = 'simulation.ananta.dev/touched';

/** @param path of one object. @throws ApiError when it is not there, or the API server does not answer */
export async function touch(api: Pick<Api, 'request'>, path: string, now: number = Date.now()): Promise<void> {
  await api.request('PATCH', path, {
    type: 'application/merge-patch+json',
    content: { metadata: { annotations: { [TOUCHED]: new Date(now).toISOString() } } },
  });
}

/** The simulator needs well under a second for what it has seen: later than this, it has overlooked something. */
export const OVERDUE_MS = 4_000;

/** @returns the objects that were touched, as `namespace/name`; one that has gone meanwhile needs it no more */
export async function touchAll(
  api: Pick<Api, 'request'>,
  plural: 'pods' | 'persistentvolumeclaims',
  objects: readonly { metadata: { namespace: string; name: string } }[],
  now?: number,
): Promise<string[]> {
  const touched: string[] = [];
  for (const {
    metadata: { namespace, name },
  } of objects) {
    try {
      await touch(api, `/api/v1/namespaces/${namespace}/${plural}/${name}`, now);
      touched.push(`${namespace}/${name}`);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }
  return touched;
}

/** When one of its Stages changes, it reads all of them again. */
export async function resyncStages(api: Pick<Api, 'request'>): Promise<void> {
  await touch(api, '/apis/kwok.x-k8s.io/v1alpha1/stages/pod-start');
}
