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

/** Of whoever works and commands, to where: Vault is behind the API server. */
export const WAYS = ['way to the API server', 'way to the engine'] as const;
export type Way = (typeof WAYS)[number];

/**
 * In the place of the API server's own: overloaded, broken, away, in conflict; one that ends in the middle; one that is
 * lost when its request has been carried out.
 */
export const ANSWERS = [429, 500, 503, 409, 'cut', 'lost'] as const;
export type Answer = (typeof ANSWERS)[number];

/** The moment at which a service reached a state. */
export interface Moment {
  service: string;
  state: string;
  /** Number of the operation, where it is not the first of the run: with `--rollback` there are three. */
  operation?: number | undefined;
}

export type PlannedFault = {
  /** As soon as this has been seen of the run. */
  at: Moment;
} & (
  | {
      /** SIGKILL; what dies is started again, Vault sealed. */
      kind: 'kill';
      target: FaultTarget;
    }
  | {
      /** SIGSTOP, and SIGCONT after a time: it is there and does not answer. */
      kind: 'stop';
      target: FaultTarget;
      seconds: number;
    }
  | {
      /** Connections are reset, new ones as well; or they stay, and nothing comes through. */
      kind: 'cut' | 'stall';
      target: Way;
      seconds: number;
    }
  | {
      /** Each piece comes so much later. */
      kind: 'slow';
      target: Way;
      seconds: number;
      milliseconds: number;
    }
  | {
      /** The next requests get this answer; a conflict those alone that change something. */
      kind: 'answers';
      target: 'API server';
      answer: Answer;
      count: number;
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
/** The rest hits processes. */
const OF_THE_WAY = 0.35;
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
    const isOfTheWay = random() < OF_THE_WAY;
    const index = target === 'helm' && !isOfTheWay ? pick(applied) : Math.floor(random() * moments.length);
    const at = moments[index] as Moment;
    if (isOfTheWay) return { index, fault: { at, ...ofTheWay(pick, seconds) } };
    return { index, fault: kind === 'kill' ? { target, at, kind } : { target, at, kind, seconds } };
  });
  return planned.sort((a, b) => a.index - b.index).map(({ fault }) => fault);
}

type Rest<T> = T extends unknown ? Omit<T, 'at'> : never;

function ofTheWay(pick: <T>(all: readonly T[]) => T, seconds: number): Rest<PlannedFault> {
  const target = pick(WAYS);
  const kind = pick(['cut', 'stall', 'slow', 'answers', 'answers'] as const);
  const [answer, count, milliseconds] = [pick(ANSWERS), pick([1, 2, 4]), pick([50, 200, 800])];
  if (kind === 'answers') return { kind, target: 'API server', answer, count };
  return kind === 'slow' ? { kind, target, seconds, milliseconds } : { kind, target, seconds };
}

export function isAt(a: Moment, b: Moment): boolean {
  return a.service === b.service && a.state === b.state && (a.operation ?? 1) === (b.operation ?? 1);
}

export function faultText(fault: PlannedFault): string {
  const { service, state, operation } = fault.at;
  return `${blowText(fault)} when ${service} was ${state}${operation === undefined ? '' : ` in operation ${operation}`}`;
}

function blowText(fault: PlannedFault): string {
  switch (fault.kind) {
    case 'kill':
      return `${fault.target} killed`;
    case 'stop':
      return `${fault.target} stopped for ${fault.seconds} s`;
    case 'cut':
      return `${fault.target} cut for ${fault.seconds} s`;
    case 'stall':
      return `${fault.target} silent for ${fault.seconds} s`;
    case 'slow':
      return `${fault.target} slower by ${fault.milliseconds} ms for ${fault.seconds} s`;
    case 'answers':
      return `API server's answers ${answersText(fault)}`;
  }
}

function answersText({ answer, count }: { answer: Answer; count: number }): string {
  const what = answer === 'cut' ? 'cut off' : answer === 'lost' ? 'lost' : `${answer}`;
  return `${what}, ${count} ${count === 1 ? 'time' : 'times'},`;
}

function randomOf(seed: number, run: number): () => number {
  return numbersFrom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(run, 0x85ebca6b));
}
