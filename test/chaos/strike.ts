/** Carries a fault out, and takes back what can be taken back when its time is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from '../../bootstrap/faults/inject.ts';
import { layoutOf } from '../../bootstrap/index.ts';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { clearEtcd, fillEtcd } from '../support/faults/etcd-alarm.ts';
import { helmProcesses } from '../support/programs/processes.ts';
import type { Blow, Victim } from './scenario.ts';
import { NAME, type Stage } from './stage.ts';

/** A Helm that shall be hit is waited for so long. */
const APPEARS_MS = 2000;
const COMES_BACK_MS = 120_000;

/** Parts of the local stack: hit as a rehearsal hits them. */
function isPart(victim: Victim): victim is Part {
  return !['worker-1', 'worker-2', 'helm', 'temporal', 'command'].includes(victim);
}
type Part = Exclude<Victim, 'worker-1' | 'worker-2' | 'helm' | 'temporal' | 'command'>;

/** @param command ends the command that is running @returns whether there was anything to hit */
export async function strike(stage: Stage, blow: Blow, command: () => boolean): Promise<boolean> {
  switch (blow.kind) {
    case 'kill':
      if (blow.victim === 'command') return command();
      return isPart(blow.victim) ? part(stage, blow.victim, blow) : kill(stage, blow.victim);
    case 'stop': {
      if (isPart(blow.victim)) return part(stage, blow.victim, blow);
      const pid = await pidOf(stage, blow.victim);
      if (pid === undefined || !send(pid, 'SIGSTOP')) return false;
      await sleep(blow.seconds * 1000);
      return send(pid, 'SIGCONT');
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
      // It may have been hit by something else meanwhile.
      await waitUntil('etcd has room', { timeoutMs: COMES_BACK_MS, intervalMs: 300 }, () =>
        clearEtcd(stage.etcdPort).then(
          () => true,
          () => undefined,
        ),
      );
      return true;
  }
}

async function part({ config }: Stage, victim: Part, blow: Parameters<typeof inject>[1]): Promise<boolean> {
  const { signal } = new AbortController();
  return (await inject(victim, blow, { layout: layoutOf(config, NAME), helm: 'helm', signal })) !== undefined;
}

async function kill(stage: Stage, victim: Exclude<Victim, 'command' | Part>): Promise<boolean> {
  const pid = await pidOf(stage, victim);
  if (pid === undefined || !send(pid, 'SIGKILL')) return false;
  if (victim !== 'helm')
    await waitUntil(`another ${victim}`, { timeoutMs: COMES_BACK_MS, intervalMs: 100 }, async () => {
      const now = await pidOf(stage, victim);
      return now !== undefined && now !== pid ? true : undefined;
    });
  return true;
}

async function pidOf(stage: Stage, victim: Exclude<Victim, 'command' | Part>): Promise<number | undefined> {
  switch (victim) {
    case 'worker-1':
    case 'worker-2':
      return stage.workers[victim].pid();
    case 'temporal':
      return stage.temporal.pid();
    case 'helm': {
      const found = await waitUntil('a Helm', { timeoutMs: APPEARS_MS, intervalMs: 20 }, async () => {
        const all = await helms(stage);
        return all[0];
      }).catch(() => undefined);
      return found?.pid;
    }
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

/** @returns false when it has ended meanwhile */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
