/** One run of a rehearsal: from nothing to the end of the deployment, hit by faults on the way. */
import type { Hit } from '../../../bootstrap/faults/signals.ts';
import type { Config } from '../../config.ts';
import { type EndedFault, endedText } from '../../plan/rehearsal/certificate.ts';
import { isAt, type Moment, type PlannedFault } from '../../plan/rehearsal/faults.ts';
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

/**
 * @param commands command lines, each once the one before has ended well
 * @throws the signal's reason
 */
export async function runOnce(
  { run }: Pick<CliContext, 'run'>,
  { config, environment, closeAfterwards }: Stage,
  commands: readonly (readonly string[])[],
  faults: readonly PlannedFault[],
  signal: AbortSignal,
): Promise<Ended> {
  const { layoutOf, superviseWhile, up } = await import('../../../bootstrap/index.ts');
  const { openWays } = await import('../../../bootstrap/faults/ways.ts');
  const { hitterOf } = await import('../../../bootstrap/faults/hit.ts');
  const layout = layoutOf(config, environment.name);
  // Also in the undisturbed run: what a proxy does by itself is in all of them.
  const ways = await openWays(layout);
  closeAfterwards(() => ways.close());
  const runtime = await up(environment, config, () => undefined, { signal });
  const over = new AbortController();
  const running = AbortSignal.any([signal, over.signal]);
  const supervision = superviseWhile(environment, config, running, () => undefined);
  const hit = hitterOf({ layout, ways, helm: runtime.tools['helm'] ?? 'helm', signal });
  const lines: Line[] = [];
  const moments: Moment[] = [];
  const waiting = new Set(faults);
  /** A text: why it did not end as it should have. */
  const hits = new Map<PlannedFault, Hit | string | undefined>();
  let operation = 1;
  let last: Promise<void> = Promise.resolve();
  const seen = (line: Line): void => {
    lines.push(line);
    if (line.type !== 'service' || line['state'] === 'waiting') return;
    const moment: Moment = {
      service: textOf(line['name']),
      state: textOf(line['state']),
      ...(operation === 1 ? {} : { operation }),
    };
    moments.push(moment);
    for (const fault of waiting) {
      if (!isAt(fault.at, moment)) continue;
      waiting.delete(fault);
      // One after the other: a fault has no effect on a process that is already down.
      last = last.then(async () => {
        hits.set(fault, await hit(fault).catch((error: unknown) => reasonOf(error)));
      });
    }
  };
  try {
    let seconds = 0;
    let said = { exitCode: 0, stderr: '' };
    const ends: ReadonlyMap<string, string>[] = [];
    for (const [index, command] of commands.entries()) {
      operation = index + 1;
      const from = lines.length;
      said = await listening(run, config, [...command, '--env', environment.name, '--json'], seen);
      ends.push(endsOf(resultOf(lines.slice(from))));
      signal.throwIfAborted();
      seconds += Number(lines.findLast(({ type }) => type === 'result')?.['seconds'] ?? 0);
      if (said.exitCode !== 0) break;
    }
    const { exitCode, stderr } = said;
    const result = resultOf(lines);
    await last;
    signal.throwIfAborted();
    return {
      outcome: textOf(result?.['outcome']) || `ended with exit code ${exitCode}`,
      seconds,
      ...(exitCode === 0 ? {} : { failure: failureOf(lines, stderr) }),
      planDigest: textOf(lines.find(({ type }) => type === 'plan')?.['digest']),
      moments,
      services: ends.at(-1) ?? new Map(),
      retries: lines.filter(({ type }) => type === 'retry').length,
      faults: faults.map((fault) => endedFault(fault, hits.get(fault), ends)),
    };
  } finally {
    over.abort();
    await supervision;
  }
}

/** @param ends of each operation of the run, service to the state in which it ended */
export function endedFault(
  fault: PlannedFault,
  found: Hit | string | undefined,
  ends: readonly ReadonlyMap<string, string>[],
): EndedFault {
  const service = ends[(fault.at.operation ?? 1) - 1]?.get(fault.at.service);
  if (typeof found === 'string') return { fault, ended: `did not end: ${found}` };
  if (found === undefined) return { fault, ended: endedText(fault, undefined, service) };
  const hit = {
    at: new Date(found.at).toISOString(),
    ...(found.seconds === undefined ? {} : { backAfterSeconds: found.seconds }),
  };
  return { fault, hit, ended: endedText(fault, hit, service) };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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

function resultOf(lines: readonly Line[]): Line | undefined {
  return lines.findLast(({ type }) => type === 'result' || type === 'error');
}

/** Service to the state in which it ended. */
function endsOf(result: Line | undefined): ReadonlyMap<string, string> {
  const all = Array.isArray(result?.['services']) ? (result['services'] as { name: string; state: string }[]) : [];
  return new Map(all.map(({ name, state }) => [name, state]));
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
