/** One run of a rehearsal: from nothing to the end of the deployment, hit by faults on the way. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config.ts';
import { resolveConnections } from '../../environment/connections.ts';
import { compareStates, type StateDifference } from '../../plan/rehearsal/compare.ts';
import { type EndedFault, endedText } from '../../plan/rehearsal/certificate.ts';
import type { Moment, PlannedFault } from '../../plan/rehearsal/faults.ts';
import { type ComparableState, stateOf } from '../../plan/rehearsal/state.ts';
import { withClients } from '../shared/clients.ts';
import type { CliContext } from '../shared/context.ts';
import { plainStyle, type Terminal } from '../shared/terminal.ts';
import type { Stage } from './stage.ts';

export interface Ended {
  outcome: string;
  seconds: number;
  failure?: string;
  planDigest: string;
  /** What each service went through, in that order. */
  moments: Moment[];
  /** State of each service at the end. */
  services: ReadonlyMap<string, string>;
  retries: number;
  faults: EndedFault[];
}

type Line = { type: string } & Record<string, unknown>;

/** What a run may still be doing when it has ended: pods that go, endpoints that follow. */
const SETTLES_MS = 60_000;
const LOOK_AGAIN_MS = 1000;

/**
 * @param rest of the command line of `deploy`
 * @throws the signal's reason
 */
export async function runOnce(
  { run }: Pick<CliContext, 'run'>,
  { config, environment }: Stage,
  rest: readonly string[],
  faults: readonly PlannedFault[],
  signal: AbortSignal,
): Promise<Ended> {
  const { layoutOf, superviseWhile, up } = await import('../../../bootstrap/index.ts');
  const { inject } = await import('../../../bootstrap/faults/inject.ts');
  const runtime = await up(environment, config, () => undefined, { signal });
  const over = new AbortController();
  const running = AbortSignal.any([signal, over.signal]);
  const supervision = superviseWhile(environment, config, running, () => undefined);
  const options = { layout: layoutOf(config, environment.name), helm: runtime.tools['helm'] ?? 'helm', signal };
  const lines: Line[] = [];
  const waiting = new Set(faults);
  const hits: Promise<{ fault: PlannedFault; hit: EndedFault['hit'] }>[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const seen = (line: Line): void => {
    lines.push(line);
    if (line.type !== 'service') return;
    for (const fault of waiting) {
      if (fault.at.service !== line['name'] || fault.at.state !== line['state']) continue;
      waiting.delete(fault);
      // One after the other: what is hit while it is down is not hit.
      const hit = last.then(async () => {
        const found = await inject(fault.target, fault, options);
        return found === undefined
          ? undefined
          : {
              at: new Date(found.at).toISOString(),
              ...(found.seconds === undefined ? {} : { backAfterSeconds: found.seconds }),
            };
      });
      last = hit.catch(() => undefined);
      hits.push(hit.then((known) => ({ fault, hit: known })));
    }
  };
  try {
    const { exitCode, stderr } = await listening(
      run,
      config,
      ['deploy', '--env', environment.name, '--json', ...rest],
      seen,
    );
    signal.throwIfAborted();
    const result = lines.findLast(({ type }) => type === 'result');
    const services = new Map(servicesOf(result).map(({ name, state }) => [name, state]));
    const ended = new Map((await Promise.all(hits)).map(({ fault, hit }) => [fault, hit]));
    return {
      outcome: textOf(result?.['outcome']) || `ended with exit code ${exitCode}`,
      seconds: Number(result?.['seconds'] ?? 0),
      ...(exitCode === 0 ? {} : { failure: failureOf(lines, stderr) }),
      planDigest: textOf(lines.find(({ type }) => type === 'plan')?.['digest']),
      moments: lines.flatMap(({ type, name, state }) =>
        type === 'service' && state !== 'waiting' ? [{ service: textOf(name), state: textOf(state) }] : [],
      ),
      services,
      retries: lines.filter(({ type }) => type === 'retry').length,
      faults: faults.map((fault) => {
        const hit = ended.get(fault);
        return {
          fault,
          ...(hit === undefined ? {} : { hit }),
          ended: endedText(fault, hit, services.get(fault.at.service)),
        };
      }),
    };
  } finally {
    over.abort();
    await supervision;
  }
}

/** Once nothing of it moves any more. @throws what `readState` throws when it does not come to rest within a minute */
export async function settledState(stage: Stage, signal: AbortSignal): Promise<ComparableState> {
  let before: ComparableState | undefined;
  return looking(stage, signal, (now) => {
    const atRest = before !== undefined && compareStates(before, now).length === 0;
    before = now;
    return atRest ? now : undefined;
  }).then(({ found, state }) => found ?? state);
}

/** What is not as in the undisturbed run, once a minute has not changed that. */
export async function differencesTo(
  expected: ComparableState,
  stage: Stage,
  signal: AbortSignal,
): Promise<StateDifference[]> {
  const { state } = await looking(stage, signal, (now) => compareStates(expected, now).length === 0 || undefined);
  return compareStates(expected, state);
}

async function looking<T>(
  { config, environment }: Stage,
  signal: AbortSignal,
  enough: (state: ComparableState) => T | undefined,
): Promise<{ found: T | undefined; state: ComparableState }> {
  const { readState } = await import('../../effects/rehearsal/read-state.ts');
  const connections = await resolveConnections(environment, config);
  return withClients({ config }, environment, connections, async (clients) => {
    for (const end = performance.now() + SETTLES_MS; ; ) {
      try {
        const state = stateOf(await readState(clients, signal));
        const found = enough(state);
        if (found !== undefined || performance.now() > end) return { found, state };
      } catch (error) {
        signal.throwIfAborted();
        if (performance.now() > end) throw error;
      }
      await sleep(LOOK_AGAIN_MS, undefined, { signal });
    }
  });
}

async function listening(
  run: CliContext['run'],
  config: Config,
  args: readonly string[],
  seen: (line: Line) => void,
): Promise<{ exitCode: number; stderr: string }> {
  let [rest, stderr] = ['', ''];
  const terminal: Terminal = {
    stdout: {
      write: (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line.startsWith('{')) seen(JSON.parse(line) as Line);
      },
    },
    stderr: { write: (text) => (stderr += text) },
    live: false,
    interactive: false,
    style: plainStyle,
    errorStyle: plainStyle,
  };
  const exitCode = await run(args, terminal, config);
  return { exitCode, stderr };
}

function servicesOf(result: Line | undefined): { name: string; state: string }[] {
  return Array.isArray(result?.['services']) ? (result['services'] as { name: string; state: string }[]) : [];
}

function failureOf(lines: readonly Line[], stderr: string): string {
  const failed = lines.flatMap((line) => {
    const failure = line['failure'] as { message?: string } | undefined;
    return failure?.message === undefined ? [] : [`${textOf(line['name'])} ${failure.message}`.trim()];
  });
  const error = lines.findLast(({ type }) => type === 'error')?.['message'];
  return failed[0] ?? (typeof error === 'string' ? error : stderr.trim().split('\n')[0]) ?? '';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
