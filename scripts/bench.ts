/**
 * npm run bench: a first deployment, one with nothing to change, a rollback, each measured as a user sees it, on a
 * sandbox of its own that is thrown away afterwards. Prints a table and, last, one line of JSON; `--out FILE` keeps
 * that JSON.
 *
 *   npm run bench -- [--runs N] [--factor F] [--out FILE]
 */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { readConfig } from '../src/config.ts';
import type { DriftReport } from '../src/contract/drift.ts';
import { readRuntime } from '../src/environment/connections.ts';
import { createSandbox, type ResultLine, resultOf, type Sandbox } from '../test/support/sandbox/sandbox.ts';

interface Measured {
  upSeconds: number;
  first: { seconds: number; criticalPathSeconds: number; ratio: number; apiRequests: number; commandSeconds: number };
  unchanged: { seconds: number; apiRequests: number; commandSeconds: number };
  /** Whole commands; the first renders every chart. */
  plan: { emptySeconds: number; unchangedSeconds: number };
  /** Of three services that depend on one another, back to the version before. */
  rollback: { seconds: number; services: number; commandSeconds: number };
  /**
   * The comparison itself, the whole command, and a run by hand that finds one scaled Deployment, repairs it and looks
   * again.
   */
  drift: { cleanSeconds: number; commandSeconds: number; repairCommandSeconds: number };
  peakMegabytes: Record<string, number>;
  slowest: { name: string; seconds: number }[];
}

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1' },
    factor: { type: 'string', default: '0.4' },
    out: { type: 'string' },
  },
});
const runs: Measured[] = [];
for (let run = 1; run <= Number(values.runs); run += 1) {
  const sandbox = await createSandbox({ simulation: { factor: Number(values.factor) } });
  try {
    runs.push(await measure(sandbox));
  } finally {
    await sandbox.close();
  }
  print(run, runs.at(-1) as Measured);
}
const report = {
  machine: { cores: cpus().length, gigabytes: Math.round(totalmem() / 2 ** 30) },
  factor: Number(values.factor),
  runs,
};
const json = JSON.stringify(report);
if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify(report, undefined, 2)}\n`);
console.log(json);

async function measure(sandbox: Sandbox): Promise<Measured> {
  const emptySeconds = await timedPlan(sandbox, 2);
  const started = performance.now();
  const up = await sandbox.cli(['up']);
  if (up.code !== 0) throw new Error(`up failed:\n${up.stderr}`);
  const upSeconds = since(started);
  const first = await timed(sandbox);
  if (first.result.outcome !== 'succeeded') throw new Error(`The first deployment ended as ${first.result.outcome}`);
  const second = await timed(sandbox);
  if (second.result.outcome !== 'unchanged') throw new Error(`The second deployment ended as ${second.result.outcome}`);
  return {
    upSeconds,
    first: {
      seconds: first.result.seconds,
      criticalPathSeconds: first.result.criticalPathSeconds,
      ratio: first.result.seconds / first.result.criticalPathSeconds,
      apiRequests: first.apiRequests,
      commandSeconds: first.commandSeconds,
    },
    unchanged: {
      seconds: second.result.seconds,
      apiRequests: second.apiRequests,
      commandSeconds: second.commandSeconds,
    },
    plan: { emptySeconds, unchangedSeconds: await timedPlan(sandbox, 0) },
    drift: await drifted(sandbox),
    rollback: await rolledBack(sandbox),
    peakMegabytes: await peaks(sandbox),
    slowest: first.result.services
      .toSorted((a, b) => b.seconds - a.seconds)
      .slice(0, 8)
      .map(({ name, seconds }) => ({ name, seconds })),
  };
}

async function timed(sandbox: Sandbox): Promise<{ result: ResultLine; apiRequests: number; commandSeconds: number }> {
  const before = await apiRequests(sandbox);
  const started = performance.now();
  const result = await sandbox.deploy();
  const commandSeconds = since(started);
  return { result, commandSeconds, apiRequests: (await apiRequests(sandbox)) - before };
}

async function timedPlan(sandbox: Sandbox, expected: number): Promise<number> {
  const started = performance.now();
  const { code, stderr } = await sandbox.cli(['plan', '--json']);
  if (code !== expected) throw new Error(`plan ended with ${code} instead of ${expected}:\n${stderr}`);
  return since(started);
}

async function rolledBack(sandbox: Sandbox): Promise<Measured['rollback']> {
  const upgraded = await sandbox.deploy(
    ...ownServices(sandbox)
      .slice(0, 3)
      .flatMap(({ name: service }) => ['--image', `${service}=2.0.0`]),
  );
  if (upgraded.outcome !== 'succeeded')
    throw new Error(`The deployment before the rollback ended as ${upgraded.outcome}`);
  const started = performance.now();
  const result = resultOf(await sandbox.cli(['rollback', '--json']));
  if (result.outcome !== 'succeeded') throw new Error(`The rollback ended as ${result.outcome}`);
  return {
    seconds: result.seconds,
    services: result.services.filter(({ changed }) => changed).length,
    commandSeconds: since(started),
  };
}

/** Stateless ones on the platform's own images. */
function ownServices({ catalog }: Sandbox): Sandbox['catalog']['services'] {
  return catalog.services.filter(({ image, kind }) => image.own && kind === 'release');
}

async function drifted(sandbox: Sandbox): Promise<Measured['drift']> {
  const started = performance.now();
  const clean = await sandbox.cli(['drift', '--json']);
  if (clean.code !== 0)
    throw new Error(`drift of an untouched platform ended with ${clean.code}:\n${clean.stdout}${clean.stderr}`);
  const commandSeconds = since(started);
  const scaled = ownServices(sandbox).at(-1);
  if (scaled === undefined) throw new Error('The platform has no service of its own to scale');
  await kubectl(sandbox, ['--namespace', scaled.namespace, 'scale', `deployment/${scaled.name}`, '--replicas', '3']);
  const repairing = performance.now();
  const repaired = await sandbox.cli(['drift', 'run', '--repair', '--json']);
  if (repaired.code !== 0)
    throw new Error(`drift run --repair ended with ${repaired.code}:\n${repaired.stdout}${repaired.stderr}`);
  return {
    cleanSeconds: (JSON.parse(clean.stdout) as DriftReport).seconds,
    commandSeconds,
    repairCommandSeconds: since(repairing),
  };
}

async function kubectl(sandbox: Sandbox, args: string[]): Promise<string> {
  const runtime = await readRuntime({ ...readConfig(), stateRoot: dirname(sandbox.state) }, sandbox.name);
  const { stdout } = await execa(
    runtime?.tools['kubectl'] ?? 'kubectl',
    ['--kubeconfig', runtime?.cluster?.kubeconfig ?? '', ...args],
    { maxBuffer: 64 * 2 ** 20 },
  );
  return stdout;
}

/** Requests the API server has answered, from its own metrics: all clients, controllers included. */
async function apiRequests(sandbox: Sandbox): Promise<number> {
  const stdout = await kubectl(sandbox, ['get', '--raw', '/metrics']);
  let total = 0;
  for (const line of stdout.split('\n'))
    if (line.startsWith('apiserver_request_total{')) total += Number(line.slice(line.lastIndexOf(' ') + 1));
  return total;
}

async function peaks(sandbox: Sandbox): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { name, pid } of await sandbox.components()) {
    if (typeof pid !== 'number') continue;
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    found[name] = Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
  }
  return found;
}

function print(run: number, measured: Measured): void {
  const rows: [string, string][] = [
    ['up, tools cached', `${measured.upSeconds.toFixed(1)} s`],
    ['first deployment', `${measured.first.seconds.toFixed(1)} s`],
    ['  critical path of the graph', `${measured.first.criticalPathSeconds.toFixed(1)} s`],
    ['  time taken / critical path', measured.first.ratio.toFixed(3)],
    ['  whole command', `${measured.first.commandSeconds.toFixed(1)} s`],
    ['  requests to the API server', String(measured.first.apiRequests)],
    ['nothing to change', `${measured.unchanged.seconds.toFixed(2)} s`],
    ['  whole command', `${measured.unchanged.commandSeconds.toFixed(1)} s`],
    ['  requests to the API server', String(measured.unchanged.apiRequests)],
    ['plan of an empty cluster', `${measured.plan.emptySeconds.toFixed(1)} s`],
    ['plan with nothing to change', `${measured.plan.unchangedSeconds.toFixed(1)} s`],
    ['drift of an untouched platform', `${measured.drift.cleanSeconds.toFixed(1)} s`],
    ['  whole command', `${measured.drift.commandSeconds.toFixed(1)} s`],
    ['drift run that repairs one finding', `${measured.drift.repairCommandSeconds.toFixed(1)} s`],
    [`rollback of ${measured.rollback.services} services`, `${measured.rollback.seconds.toFixed(1)} s`],
    ['  whole command', `${measured.rollback.commandSeconds.toFixed(1)} s`],
    ...Object.entries(measured.peakMegabytes).map(([name, megabytes]): [string, string] => [
      `peak memory ${name}`,
      `${megabytes} MB`,
    ]),
    ...measured.slowest.map(({ name, seconds }): [string, string] => [`slowest ${name}`, `${seconds.toFixed(1)} s`]),
  ];
  console.log(`Run ${run}`);
  for (const [what, value] of rows) console.log(`  ${what.padEnd(34)}${value.padStart(10)}`);
}

function since(started: number): number {
  return (performance.now() - started) / 1000;
}
