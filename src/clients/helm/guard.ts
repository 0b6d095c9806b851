/**
 * Does what timeout(1) does, where the system has none: `guard.ts LIMIT GRACE PROGRAM ARGUMENT...`, in seconds. Asks
 * the program to end after LIMIT, and when it is asked itself; kills it GRACE later.
 */
import { spawn } from 'node:child_process';

const [limit, grace, program = '', ...args] = process.argv.slice(2);
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
let timedOut = false;

const askToEnd = (): void => {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), Number(grace) * 1000);
};
// Before the program is started: asked in between, this would end without it.
for (const signal of SIGNALS) process.on(signal, askToEnd);
const child = spawn(program, args, { stdio: 'inherit' });
setTimeout(() => {
  timedOut = true;
  askToEnd();
}, Number(limit) * 1000);
child.on('error', ({ message }) => {
  process.stderr.write(`${program} cannot be started: ${message}\n`);
  process.exit(127);
});
child.on('exit', (code, signal) => {
  if (timedOut) process.exit(124);
  if (signal === null) process.exit(code ?? 1);
  for (const one of SIGNALS) process.removeAllListeners(one);
  process.kill(process.pid, signal);
});
