/** Carries one operation out through the command line and injects its faults at their moments. */
import { setTimeout as sleep } from 'node:timers/promises';
import { paths } from '../../src/clients/kubernetes/index.ts';
import type { CliRun, JsonLine } from '../support/programs/command.ts';
import { running } from './commands.ts';
import { type Fault, faultText, type Moment, type Operation } from './scenario.ts';
import { type Stage } from './stage.ts';
import { strike } from './strike.ts';

export type Tags = Record<string, string>;

export interface Operated {
  /** Of each command: what it ended with. */
  outcomes: string[];
  /** Faults that hit something. */
  hits: Fault[];
  /** The last output of the commands, where something went wrong. */
  said: string[];
}

/** Longer than any operation takes, faults included. */
const LIMIT_SECONDS = 420;
/** Where platforms/mini has the services of which something is changed before a repair. */
const APPS = 'apps';

export const imagesOf = (tags: Tags): string[] =>
  Object.entries(tags).flatMap(([service, tag]) => ['--image', `${service}=${tag}`]);

/**
 * @param wanted tags before it, all of which a deployment names
 * @param backTo version to which a rollback goes
 * @returns when it has ended and every fault is over
 */
export async function operate(
  stage: Stage,
  operation: Operation,
  faults: readonly Fault[],
  wanted: Tags,
  backTo: number,
): Promise<Operated> {
  const waiting = new Set(faults);
  const hits: Fault[] = [];
  const said: string[] = [];
  let last: Promise<unknown> = Promise.resolve();
  let second: (() => Promise<CliRun>) | undefined = secondOf(stage, operation, wanted);
  const seconds: Promise<CliRun>[] = [];
  let kill: (() => boolean) | undefined;

  const fits = (line: JsonLine, { service, state }: Moment): boolean =>
    service === undefined
      ? line.type === state
      : line.type === 'service' && line['name'] === service && line['state'] === state;
  const seen = (line: JsonLine): void => {
    for (const fault of waiting) {
      if (!fits(line, fault.at)) continue;
      waiting.delete(fault);
      // Faults are injected one after the other: a component that is down already cannot be hit.
      last = last.then(async () => {
        if (await strike(stage, fault, () => kill?.() ?? false)) hits.push(fault);
      });
      last.catch((error: unknown) => said.push(`${faultText(fault)}: ${String(error)}`));
    }
    if (second !== undefined && operation.at !== undefined && fits(line, operation.at)) {
      seconds.push(second());
      second = undefined;
    }
  };
  const command = async (args: string[]): Promise<CliRun> => {
    if (!faults.some((fault) => fault.kind === 'kill' && fault.victim === 'command'))
      return running(stage.config, args, seen);
    const child = stage.sandbox.start(args);
    kill = () => {
      child.kill('SIGKILL');
      return true;
    };
    void child
      .line((line) => {
        seen(line);
        return false;
      })
      .catch(() => undefined);
    return child.done;
  };

  if (operation.drift !== undefined) await plant(stage, operation.drift);
  const outcomes: string[] = [];
  for (const args of commandsOf(operation, wanted, backTo)) {
    const over = new AbortController();
    // The command does not print the progress of a drift run's repair, so it is read from the engine.
    const watched = args[0] === 'drift' ? watching(stage, seen, over.signal) : Promise.resolve();
    const run = await limited(command(args), args);
    over.abort();
    await watched;
    const ended = await endOf(stage, run, args, said);
    outcomes.push(ended);
    kill = undefined;
  }
  if (second !== undefined && operation.kind !== 'cancel' && operation.kind !== 'pause') seconds.push(second());
  for (const each of seconds) {
    const run = await limited(each, ['the second command']);
    if (operation.kind === 'queue' || operation.kind === 'supersede')
      outcomes.push(await endOf(stage, run, ['the second command'], said));
  }
  await last.catch(() => undefined);
  for (const proxy of Object.values(stage.apiProxies)) proxy.answer(503, 0);
  return { outcomes, hits, said };
}

function commandsOf({ kind, tags }: Operation, wanted: Tags, backTo: number): string[][] {
  switch (kind) {
    case 'rollback':
      return [['rollback', '--json', '--to', String(backTo)]];
    case 'repair':
      return [['drift', 'run', '--repair', '--json']];
    case 'destroy':
      return [
        ['destroy', '--json', '--confirm', 'chaos'],
        ['deploy', '--json', ...imagesOf(wanted)],
      ];
    default:
      return [['deploy', '--json', ...imagesOf({ ...wanted, ...tags[0] })]];
  }
}

function secondOf(stage: Stage, { kind, tags }: Operation, wanted: Tags): (() => Promise<CliRun>) | undefined {
  const deploy = (how: string): Promise<CliRun> =>
    running(stage.config, ['deploy', '--json', '--if-running', how, ...imagesOf({ ...wanted, ...tags[1] })]);
  switch (kind) {
    case 'cancel':
      return () => running(stage.config, ['cancel', '--json']);
    case 'queue':
    case 'supersede':
      return () => deploy(kind);
    case 'pause':
      return async () => {
        await running(stage.config, ['pause', '--json', '--reason', 'chaos']);
        await sleep(1500);
        return running(stage.config, ['resume', '--json', '--reason', 'chaos']);
      };
    default:
      return undefined;
  }
}

/** The outcome of a command. If it was killed, or lost the engine, the test attaches to its operation. */
async function endOf(stage: Stage, run: CliRun, args: readonly string[], said: string[]): Promise<string> {
  const resultOf = ({ lines }: CliRun): string | undefined => {
    const result = lines.findLast(({ type }) => type === 'result');
    const outcome = result?.['outcome'];
    return typeof outcome === 'string' ? outcome : undefined;
  };
  const outcome = resultOf(run) ?? (args[0] === 'drift' ? driftOutcome(run) : undefined);
  if (outcome !== undefined) {
    if (outcome === 'failed') said.push(run.stdout.slice(-3000), run.stderr.slice(-2000));
    return outcome;
  }
  said.push(`${args.join(' ')} ended with ${String(run.code)} and without a result: ${run.stderr.slice(-600)}`);
  const attached = await limited(running(stage.config, ['attach', '--json']), ['attach']);
  return resultOf(attached) ?? `exit code ${String(run.code)}`;
}

/** The progress of the operation that holds the lock, once there is one. */
async function watching(stage: Stage, seen: (line: JsonLine) => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const running_ = stage.client.workflow.list({
      query: `ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH 'deploy/'`,
    });
    for await (const _ of running_) {
      await running(stage.config, ['attach', '--json'], seen).catch(() => undefined);
      return;
    }
    await sleep(100);
  }
}

function driftOutcome({ code }: CliRun): string | undefined {
  return code === 0 ? 'succeeded' : undefined;
}

async function plant({ kubernetes }: Stage, { service, how }: NonNullable<Operation['drift']>): Promise<void> {
  if (how === 'deleted') await kubernetes.remove(`/api/v1/namespaces/${APPS}/services/${service}`);
  else
    await kubernetes.patch(`${paths.deployments(APPS)}/${service}`, [
      { op: 'replace', path: '/spec/replicas', value: 3 },
    ]);
}

async function limited<T>(work: Promise<T>, what: readonly string[]): Promise<T> {
  const over = new AbortController();
  const limit = sleep(LIMIT_SECONDS * 1000, undefined, { signal: over.signal }).then(() => {
    throw new Error(`${what.join(' ')} did not end within ${LIMIT_SECONDS} s`);
  });
  limit.catch(() => undefined);
  try {
    return await Promise.race([work, limit]);
  } finally {
    over.abort();
  }
}
