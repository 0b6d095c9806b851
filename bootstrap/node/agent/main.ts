/**
 * The real node's agent as a process on this machine: the API server's second address, and the provisioner of volumes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createApi } from '../../cluster/api.ts';
import { forwardPort } from './forward.ts';
import { settleVolumes } from './volumes.ts';

const LOOK_MS = 500;

const { values } = parseArgs({
  options: {
    address: { type: 'string' },
    port: { type: 'string' },
    'api-server': { type: 'string' },
    pki: { type: 'string' },
    volumes: { type: 'string' },
  },
});

function needed(name: keyof typeof values): string {
  const value = values[name];
  if (value === undefined) throw new Error(`node-agent: --${name} is missing`);
  return value;
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
await forwardPort(needed('address'), Number(needed('port')));

for (;;) {
  try {
    const api = await createApi(needed('api-server'), needed('pki'));
    try {
      for (;;) {
        for (const line of await settleVolumes(api, needed('volumes')))
          process.stdout.write(`${new Date().toISOString()} ${line}\n`);
        await sleep(LOOK_MS);
      }
    } finally {
      api.close();
    }
  } catch (error) {
    // An API server that is away is somebody else's care; one that was made anew has other certificates.
    process.stdout.write(`${new Date().toISOString()} ${error instanceof Error ? error.message : String(error)}\n`);
    await sleep(LOOK_MS * 4);
  }
}
