/** The responder as a process; `index.ts` has its arguments. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startKubelet } from './kubelet/server.ts';
import { startResponder } from './server.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    failures: { type: 'string' },
    tcp: { type: 'string', multiple: true, default: [] },
    'kubelet-port': { type: 'string' },
    'kwok-port': { type: 'string' },
    pki: { type: 'string' },
    command: { type: 'string', multiple: true, default: [] },
  },
});

function needed(name: 'port' | 'failures' | 'kubelet-port' | 'kwok-port' | 'pki'): string {
  const value = values[name];
  if (value === undefined) throw new Error(`responder: --${name} is missing`);
  return value;
}

const failures = needed('failures');
/** Good answers are too many to write down. */
const onProbe = ({ kind, service, target, outcome }: { kind: string; service: string; target: string; outcome: string }): void => {
  if (outcome !== 'healthy') process.stdout.write(`${new Date().toISOString()} ${kind} ${service} ${target} ${outcome}\n`);
};

const responder = await startResponder({
  port: Number(needed('port')),
  failures,
  tcpPorts: Object.fromEntries(values.tcp.map((pair) => {
    const [service = '', port] = pair.split('=');
    return [service, Number(port)];
  })),
  onProbe,
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void responder.close().then(() => { process.exit(0); }));

await startKubelet({
  port: Number(needed('kubelet-port')),
  kwokPort: Number(needed('kwok-port')),
  tls: await certificates(needed('pki')),
  commands: values.command,
  failures,
  onProbe,
});

/** They appear when the cluster is made. */
async function certificates(folder: string): Promise<{ ca: string; cert: string; key: string }> {
  for (;;) {
    try {
      const [ca, cert, key] = await Promise.all([readFile(join(folder, 'ca.crt'), 'utf8'), readFile(join(folder, 'admin.crt'), 'utf8'), readFile(join(folder, 'admin.key'), 'utf8')]);
      return { ca, cert, key };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await sleep(100);
  }
}
