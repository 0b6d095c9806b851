/** The simulator acts on events alone: what it has to look at again is touched. */
import type { Api } from './api.ts';

const TOUCHED = 'simulation.ananta.dev/touched';

/** @param path of one object. @throws ApiError when it is not there, or the API server does not answer */
export async function touch(api: Pick<Api, 'request'>, path: string, now: number = Date.now()): Promise<void> {
  await api.request('PATCH', path, { type: 'application/merge-patch+json', content: { metadata: { annotations: { [TOUCHED]: new Date(now).toISOString() } } } });
}

/** When one of its Stages changes, it reads all of them again. */
export async function retellStages(api: Pick<Api, 'request'>): Promise<void> {
  await touch(api, '/apis/kwok.x-k8s.io/v1alpha1/stages/pod-start');
}
