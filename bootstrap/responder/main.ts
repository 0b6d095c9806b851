/** The responder as a process: `main.ts --port N --failures FOLDER [--tcp SERVICE=PORT ...]`. */
import { parseArgs } from 'node:util';
import { startResponder } from './server.ts';

const { values } = parseArgs({ options: { port: { type: 'string' }, failures: { type: 'string' }, tcp: { type: 'string', multiple: true, default: [] } } });
if (values.port === undefined || values.failures === undefined) throw new Error('responder: --port and --failures are needed');

const tcpPorts = Object.fromEntries(values.tcp.map((pair) => {
  const [service, port] = pair.split('=');
  return [service ?? '', Number(port)];
}));
const responder = await startResponder({
  port: Number(values.port),
  failures: values.failures,
  tcpPorts,
  onProbe: ({ kind, service, target, outcome }) => {
    if (outcome !== 'healthy') process.stdout.write(`${new Date().toISOString()} ${kind} ${service} ${target} ${outcome}\n`);
  },
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void responder.close().then(() => { process.exit(0); }));
