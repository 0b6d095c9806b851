/** Which faults hit a rehearsed run, and when: by the seed and by what the undisturbed run went through. Pure. */
import { numbersFrom } from './random.ts';

/** Parts of the local stack that a fault may hit; `helm` is whichever process of it is at work. */
export const FAULT_TARGETS = [
  'worker',
  'helm',
  'temporal',
  'kube-apiserver',
  'etcd',
  'vault',
  'kube-controller-manager',
  'kube-scheduler',
] as const;
export type FaultTarget = (typeof FAULT_TARGETS)[number];

/** The moment at which a service reached a state. */
export interface Moment {
  service: string;
  state: string;
  /** Number of the operation, where it is not the first of the run: with `--rollback` there are three. */
  operation?: number | undefined;
}

export type PlannedFault = {
  target: FaultTarget;
  /** As soon as this has been seen of the run. */
  at: Moment;
} & (
  | {
      /** SIGKILL; what dies is started again, Vault sealed. */
      kind: 'kill';
    }
  | {
      /** SIGSTOP, and SIGCONT after a time: it is there and does not answer. */
      kind: 'stop';
      seconds: number;
    }
);

/** These targets are chosen more often: they do the work of a deployment. */
const WEIGHTS: Readonly<Record<FaultTarget, number>> = {
  worker: 4,
  helm: 4,
  'kube-apiserver': 3,
  temporal: 2,
  vault: 2,
  etcd: 1,
  'kube-controller-manager': 1,
  'kube-scheduler': 1,
};
/** Seconds; longer than a heartbeat, shorter than what ends a run of its own accord. */
const STOPS = [1, 2, 4, 8] as const;
/** Helm is there only while something is applied. */
const HELM_STATE = 'applying';

export interface FaultRequest {
  seed: number;
  /** From 1 on: each disturbed run has faults of its own. */
  run: number;
  faults: number;
  /** In the order in which the undisturbed run went through them. */
  moments: readonly Moment[];
}

/**
 * The same request gives the same faults, on every machine.
 * @returns in the order of their moments; none where the undisturbed run changed nothing
 */
export function planFaults({ seed, run, faults, moments }: FaultRequest): PlannedFault[] {
  if (moments.length === 0) return [];
  const random = randomOf(seed, run);
  const applied = moments.flatMap(({ state }, index) => (state === HELM_STATE ? [index] : []));
  const targets = FAULT_TARGETS.flatMap((target) => Array.from({ length: WEIGHTS[target] }, () => target)).filter(
    (target) => target !== 'helm' || applied.length > 0,
  );
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  const planned = Array.from({ length: faults }, (): { index: number; fault: PlannedFault } => {
    const target = pick(targets);
    const kind = random() < 0.6 ? ('kill' as const) : ('stop' as const);
    const seconds = pick(STOPS);
    const index = target === 'helm' ? pick(applied) : Math.floor(random() * moments.length);
    const at = moments[index] as Moment;
    return { index, fault: kind === 'kill' ? { target, at, kind } : { target, at, kind, seconds } };
  });
  return planned.sort((a, b) => a.index - b.index).map(({ fault }) => fault);
}

export function isAt(a: Moment, b: Moment): boolean {
  return a.service === b.service && a.state === b.state && (a.operation ?? 1) === (b.operation ?? 1);
}

export function faultText({ target, at: { service, state, operation }, ...fault }: PlannedFault): string {
  const what = fault.kind === 'kill' ? `${target} killed` : `${target} stopped for ${fault.seconds} s`;
  return `${what} when ${service} was ${state}${operation === undefined ? '' : ` in operation ${operation}`}`;
}

function randomOf(seed: number, run: number): () => number {
  return numbersFrom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(run, 0x85ebca6b));
}
