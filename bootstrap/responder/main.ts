/**
 * The responder as a process; `index.ts` has its arguments. It also plays the provisioner of the one volume that has
 * data.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createApi } from '../cluster/api.ts';
import { emptyDeletedStorage } from '../vault/storage.ts';
import type { KnownCommand } from './kubelet/exec.ts';
import { startKubelet } from './kubelet/server.ts';
import { type KnownAnswer, startResponder } from './server.ts';

const STORAGE_LOOK_MS = 1_000;

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    failures: { type: 'string' },
    tcp: { type: 'string', multiple: true, default: [] },
    'kubelet-port': { type: 'string' },
    'kwok-port': { type: 'string' },
    pki: { type: 'string' },
    command: { type: 'string', multiple: true, default: [] },
    answer: { type: 'string', multiple: true, default: [] },
    'api-server': { type: 'string' },
    'vault-claim': { type: 'string' },
    'vault-folder': { type: 'string' },
    'vault-pid-file': { type: 'string' },
    'vault-lock': { type: 'string' },
  },
});

function needed(name: Exclude<keyof typeof values, 'tcp' | 'command' | 'answer'>): string {
  const value = values[name];
  if (value === undefined) throw new Error(`responder: --${name} is missing`);
  return value;
}

const failures = needed('failures');
/** Only failures are logged. */
const onProbe = ({
  kind,
  service,
  target,
  outcome,
}: {
  kind: string;
  service: string;
  target: string;
  outcome: string;
}): void => {
  if (outcome !== 'healthy')
    process.stdout.write(`${new Date().toISOString()} ${kind} ${service} ${target} ${outcome}\n`);
};

const responder = await startResponder({
  port: Number(needed('port')),
  failures,
  tcpPorts: Object.fromEntries(
    values.tcp.map((pair) => {
      const [service = '', port] = pair.split('=');
      return [service, Number(port)];
    }),
  ),
  answers: values.answer.map((known) => JSON.parse(known) as KnownAnswer),
  onProbe,
});
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(
    signal,
    () =>
      void responder.close().then(() => {
        process.exit(0);
      }),
  );

await startKubelet({
  port: Number(needed('kubelet-port')),
  kwokPort: Number(needed('kwok-port')),
  tls: await certificates(needed('pki')),
  commands: values.command.map((known) => JSON.parse(known) as KnownCommand),
  failures,
  onProbe,
});

if (values['vault-claim'] !== undefined) await keepStorage(values['vault-claim']);

/** For as long as this process lives. */
async function keepStorage(claim: string): Promise<never> {
  const [namespace = '', name = ''] = claim.split('/');
  const storage = {
    claim: { namespace, name },
    folder: needed('vault-folder'),
    pidFile: needed('vault-pid-file'),
    lock: needed('vault-lock'),
  };
  for (;;) {
    try {
      const api = await createApi(needed('api-server'), needed('pki'));
      try {
        for (;;) {
          const emptied = await emptyDeletedStorage(api, storage);
          for (const volume of emptied)
            process.stdout.write(
              `${new Date().toISOString()} volume ${volume} was deleted: Vault's folder is empty now\n`,
            );
          await sleep(STORAGE_LOOK_MS);
        }
      } finally {
        api.close();
      }
    } catch {
      // An API server that is away is somebody else's care; one that was made anew has other certificates.
      await sleep(STORAGE_LOOK_MS);
    }
  }
}

/** They appear when the cluster is made. */
async function certificates(folder: string): Promise<{ ca: string; cert: string; key: string }> {
  for (;;) {
    try {
      const [ca, cert, key] = await Promise.all([
        readFile(join(folder, 'ca.crt'), 'utf8'),
        readFile(join(folder, 'admin.crt'), 'utf8'),
        readFile(join(folder, 'admin.key'), 'utf8'),
      ]);
      return { ca, cert, key };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await sleep(100);
  }
}
