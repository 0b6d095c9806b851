/**
 * A worker as a process of its own, with the state folder that its connections name: makes one attempt to apply a
 * release and says what came of it. All that it needs is on standard input.
 */
import { text } from 'node:stream/consumers';
import { createActivities } from '../../../src/activities/index.ts';
import { createClients } from '../../../src/clients/index.ts';
import type { Config } from '../../../src/config.ts';
import type { ApplyReleaseInput } from '../../../src/contract/activities.ts';
import type { Connections } from '../../../src/environment/connections.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import { testScope } from '../scope.ts';

export interface Attempt {
  environment: Environment;
  connections: Connections;
  config: Config;
  input: ApplyReleaseInput;
}

const { environment, connections, config, input } = JSON.parse(await text(process.stdin)) as Attempt;
const clients = await createClients(environment, connections, config, { isRunAlive: () => Promise.resolve(false) });
console.log(JSON.stringify(await createActivities(clients, () => testScope()).applyRelease(input)));
await clients.close();
