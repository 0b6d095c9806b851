/** Injects a fault, and ends it when its time is over, where that is possible. */
import { setTimeout as sleep } from 'node:timers/promises';
import { partOf, strike as strikeProcess, type Victim as Process } from '../../bootstrap/faults/signals.ts';
import { layoutOf } from '../../bootstrap/index.ts';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { clearEtcd, fillEtcd } from '../support/faults/etcd-alarm.ts';
import { helmProcesses } from '../support/programs/processes.ts';
import type { Blow, Victim } from './scenario.ts';
import { NAME, type Stage } from './stage.ts';

/** How long a Helm process that shall be hit is waited for: after that its moment has passed. */
const APPEARS_MS = 2000;
const COMES_BACK_MS = 120_000;

/** @param command ends the command that is running @returns whether there was anything to hit */
export async function strike(stage: Stage, blow: Blow, command: () => boolean): Promise<boolean> {
  switch (blow.kind) {
    case 'kill':
    case 'stop': {
      if (blow.victim === 'command') return command();
      const { signal } = new AbortController();
      const limit = blow.victim === 'helm' ? { appearsMs: APPEARS_MS } : {};
      return (await strikeProcess(processOf(stage, blow.victim), blow, { signal, ...limit })) !== undefined;
    }
    case 'cut':
    case 'stall':
    case 'slow': {
      const proxy = stage.links[blow.link];
      if (blow.kind === 'slow') proxy.slow(blow.milliseconds);
      else proxy[blow.kind]();
      await sleep(blow.seconds * 1000);
      proxy.restore();
      return true;
    }
    case 'answers':
      stage.apiProxies[blow.worker].answer(blow.answer, blow.count);
      return true;
    case 'clock':
      await stage.setClock(blow.by);
      await sleep(blow.seconds * 1000);
      await stage.setClock(0);
      return true;
    case 'full':
      await fillEtcd(stage.etcdPort);
      await sleep(blow.seconds * 1000);
      // Another fault may have ended it meanwhile.
      await waitUntil('etcd has room', { timeoutMs: COMES_BACK_MS, intervalMs: 300 }, () =>
        clearEtcd(stage.etcdPort).then(
          () => true,
          () => undefined,
        ),
      );
      return true;
  }
}

function processOf(stage: Stage, victim: Exclude<Victim, 'command'>): Process {
  // Before the first start the process id is 0, and a signal to 0 would reach this whole process group.
  const kept = (pid: () => number): Process => ({
    name: victim,
    pid: () => Promise.resolve(pid() || undefined),
    isKept: true,
  });
  switch (victim) {
    case 'worker-1':
    case 'worker-2':
      return kept(() => stage.workers[victim].pid());
    case 'temporal':
      return kept(() => stage.temporal.pid());
    case 'helm':
      return { name: victim, pid: async () => (await helms(stage))[0]?.pid, isKept: false };
    default:
      return partOf(layoutOf(stage.config, NAME), victim);
  }
}

/** Helms at work for either worker, with the release that each is about. */
export async function helms({ states }: Pick<Stage, 'states'>): Promise<{ pid: number; release: string }[]> {
  const all = await Promise.all(states.map((state) => helmProcesses(state)));
  return all.flat().map(({ pid, args }) => {
    const verb = args.findIndex((arg) => ['upgrade', 'rollback', 'uninstall'].includes(arg));
    return { pid, release: args.slice(verb + 1).find((arg) => !arg.startsWith('-')) ?? '' };
  });
}
