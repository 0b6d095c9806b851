/**
 * The stand-in: plays a service whose image cannot be had. It reads the configuration that the chart gives the real
 * service, connects to everything that it names, and is healthy only while all of that works. Arguments: the program's
 * own, as the chart starts it. Which image it plays stands in STANDIN_IMAGE.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { ask, Refused } from './ask/index.ts';
import { detail } from './ask/refused.ts';
import type { Report } from './check.ts';
import { discover } from './discover.ts';
import { FAULTS, misbehave } from './fault.ts';
import { profileOf } from './profiles.ts';
import { redact, secretsOf } from './redact.ts';
import { startRounds } from './rounds.ts';
import { serviceOfPod } from './self.ts';
import { portOf, serve } from './serve.ts';

const log = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);

/** Kubelet shows this file as the container's termination message. */
function fail(reason: string): never {
  log(`giving up: ${reason}`);
  try {
    writeFileSync('/dev/termination-log', reason.slice(0, 1000));
  } catch {
    // Outside a pod there is none.
  }
  process.exit(1);
}

const env = Object.fromEntries(
  Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
);
const args = process.argv.slice(2);
const image = env.STANDIN_IMAGE ?? '';
const self = serviceOfPod(hostname());
const profile = profileOf(image, args);
const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const)
  process.once(name, () => {
    log(`${name}: ending`);
    stop.abort();
    process.exit(0);
  });

log(
  `stand-in for ${image === '' ? 'nothing named' : image}${args.length === 0 ? '' : `, started as ${args.join(' ')}`}, in the pod of ${self}`,
);
const fault = FAULTS.find((candidate) => candidate === env.STANDIN_FAULT);
if (fault !== undefined) {
  await misbehave(
    fault,
    portOf(profile.listeners[0] ?? { env: [], port: 8080, protocol: 'http', ready: [], live: [] }, env),
    log,
  );
  process.exit(1);
}

const found = discover({
  env,
  profile,
  self,
  readFile: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
});
const secrets = secretsOf(found.checks);
const ports: { listener: (typeof profile.listeners)[number]; port: number }[] = [];
for (const listener of profile.listeners) {
  try {
    ports.push({ listener, port: portOf(listener, env) });
  } catch (error) {
    found.problems.push(detail(error).message);
  }
}
if (profile.listeners.length === 0) found.problems.push(`nobody knows what ${args.join(' ') || image} listens on`);

const rounds = startRounds({
  checks: found.checks,
  problems: found.problems,
  ask: (check) => ask(check, self),
  isRefusal: (error) => error instanceof Refused,
  words: (error) => redact(detail(error).message, secrets),
  log,
  signal: stop.signal,
});
const face = {
  report: (): Report => ({
    service: self,
    image,
    state: rounds.state(),
    problems: found.problems,
    browser: found.browser,
    checks: rounds.results(),
  }),
  failing: rounds.failing,
};
for (const { listener, port } of ports) {
  await serve(listener, port, face).catch((error: unknown) =>
    fail(`it cannot listen on ${port}: ${detail(error).message}`),
  );
  log(`listening on ${port} (${listener.protocol})`);
}
fail(await rounds.gaveUp);
