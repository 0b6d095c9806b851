import { DeployError } from '../../contract/errors.ts';
import type { Client } from '@temporalio/client';
import type { Clients } from '../../clients/index.ts';
import { FAILURES } from '../../contract/failures.ts';

/** @throws DeployError where the activity was called outside a worker */
export function engineOf({ engine }: Pick<Clients, 'engine'>): Client {
  if (engine) return engine;
  throw new DeployError(FAILURES.unexpected, 'This needs the engine, which only a worker is connected to');
}
