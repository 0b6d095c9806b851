import type { Clients } from '../../clients/index.ts';
import { lockHolderOf } from '../../clients/temporal/lock.ts';
import type { Activities } from '../../contract/activities.ts';
import { operationWorkflowId } from '../../contract/names.ts';
import { engineOf } from './engine.ts';

/** Who holds the lock of an environment and cluster. */
export function lockHolder(clients: Pick<Clients, 'engine'>): Activities['lockHolder'] {
  return async ({ environment, clusterUid }) => {
    const holder = await lockHolderOf(engineOf(clients), operationWorkflowId(environment, clusterUid));
    return holder ? { holder } : {};
  };
}
