/**
 * What a run does and what hits it: operations in random order, each with faults at points of its progress. All of it
 * follows from the seed; no clock is asked. Pure.
 */
import { type Random, randomOf } from './random.ts';

/** Processes that may die or stand still; `helm` is whichever is at work. */
export const VICTIMS = [
  'worker-1',
  'worker-2',
  'helm',
  'temporal',
  'kube-apiserver',
  'etcd',
  'vault',
  'kube-controller-manager',
  'command',
] as const;
export type Victim = (typeof VICTIMS)[number];

/** Network connections that may be cut, held up or slowed down. */
export const LINKS = [
  'worker-1 to engine',
  'worker-2 to engine',
  'worker-1 to API server',
  'worker-2 to API server',
  'command to engine',
] as const;
export type Link = (typeof LINKS)[number];

/**
 * Faults of the API server's answers: `cut` ends in the middle of the answer; `lost` was carried out, and its answer
 * does not arrive.
 */
export const ANSWERS = [429, 500, 503, 409, 'cut', 'lost'] as const;
export type Answer = (typeof ANSWERS)[number];

/** The line of progress at which it hits: of a service, or of the operation. */
export interface Moment {
  service?: string;
  state: string;
}

export type Blow =
  | { kind: 'kill'; victim: Victim }
  | { kind: 'stop'; victim: Exclude<Victim, 'command'>; seconds: number }
  | { kind: 'cut' | 'stall'; link: Link; seconds: number }
  | { kind: 'slow'; link: Link; milliseconds: number; seconds: number }
  | { kind: 'answers'; worker: 1 | 2; answer: Answer; count: number }
  | { kind: 'full'; seconds: number }
  /** The clock of the second worker is another one, and right again afterwards. */
  | { kind: 'clock'; by: number; seconds: number };

export type Fault = { operation: number; at: Moment } & Blow;

export const OPERATIONS = ['deploy', 'rollback', 'repair', 'cancel', 'queue', 'supersede', 'pause', 'destroy'] as const;
export interface Operation {
  kind: (typeof OPERATIONS)[number];
  /** Service to the tag that it gets; for a queue or a supersession those of the first, then of the second. */
  tags: Record<string, string>[];
  /** The moment of the second command: cancel, pause, the other deployment. */
  at?: Moment;
  /** The change that a repair has to undo: a workload that is scaled, a Service that is deleted. */
  drift?: { service: string; how: 'scaled' | 'deleted' };
}

export interface Scenario {
  seed: number;
  operations: Operation[];
  faults: Fault[];
}

/** Of platforms/mini: workloads that take an image tag, Jobs apart. */
export const SERVICES = ['storage', 'auth', 'api', 'worker', 'web', 'admin', 'metrics'] as const;
const WEIGHTS: Record<Operation['kind'], number> = {
  deploy: 6,
  rollback: 3,
  repair: 2,
  cancel: 3,
  queue: 2,
  supersede: 2,
  pause: 2,
  destroy: 1,
};
const VICTIM_WEIGHTS: Record<Victim, number> = {
  'worker-1': 4,
  'worker-2': 4,
  helm: 5,
  temporal: 2,
  'kube-apiserver': 3,
  vault: 2,
  command: 2,
  etcd: 1,
  'kube-controller-manager': 1,
};
/** Longer than the heartbeat timeout, and than any time limit that follows it. */
const SECONDS = [1, 2, 4, 8, 14] as const;
const STATES = ['applying', 'starting', 'healthy'] as const;

/** Seconds by which a clock is wrong. */
const CLOCKS = [-86_400, -3600, -60, 60, 3600, 86_400, 366 * 86_400] as const;
const CLOCK_SEED = 0x5eed;

/**
 * The same seed gives the same scenario, on every machine.
 * @param clocks with wrong clocks as well, after all that the seed gives without them
 */
export function scenarioOf(seed: number, { clocks = false } = {}): Scenario {
  const { operations, faults } = withoutClocks(seed);
  if (!clocks) return { seed, operations, faults };
  const random = randomOf(seed + CLOCK_SEED);
  const more = operations.map((operation, index): Fault => {
    const at = momentOf(random, operation);
    return { operation: index, at, kind: 'clock', by: random.pick(CLOCKS), seconds: random.pick([4, 8, 14]) };
  });
  return { seed, operations, faults: [...faults, ...more] };
}

function withoutClocks(seed: number): Scenario {
  const random = randomOf(seed);
  const operations = Array.from({ length: random.between(2, 3) }, (_, index) => operationOf(random, seed, index));
  const faults = operations.flatMap((operation, index) =>
    Array.from({ length: random.pick([0, 1, 1, 1, 2, 2, 3]) }, (): Fault => {
      const at = momentOf(random, operation);
      return { operation: index, at, ...blowOf(random) };
    }),
  );
  return { seed, operations, faults };
}

function operationOf(random: Random, seed: number, index: number): Operation {
  const kind = weighted(random, WEIGHTS);
  const tagsOf = (variant: string): Record<string, string> =>
    Object.fromEntries(
      random.some(SERVICES, random.between(1, 3)).map((service) => [service, `${seed}.${index}.${variant}`]),
    );
  switch (kind) {
    case 'queue':
    case 'supersede': {
      const tags = [tagsOf('0'), tagsOf('1')];
      return { kind, tags, at: laterOf(random, tags[0] ?? {}) };
    }
    case 'cancel':
    case 'pause': {
      const tags = [tagsOf('0')];
      return { kind, tags, at: laterOf(random, tags[0] ?? {}) };
    }
    case 'repair':
      return {
        kind,
        tags: [],
        drift: { service: random.pick(['api', 'web', 'admin', 'metrics']), how: random.pick(['scaled', 'deleted']) },
      };
    case 'deploy':
      return { kind, tags: [tagsOf('0')] };
    default:
      return { kind, tags: [] };
  }
}

function laterOf(random: Random, tags: Record<string, string>): Moment {
  return { service: random.pick(Object.keys(tags)), state: random.pick(['applying', 'starting']) };
}

/**
 * Lines of progress that the operation prints if nothing hits it; a fault at a line that does not come is not injected.
 */
function momentOf(random: Random, { kind, tags, drift }: Operation): Moment {
  if (random.next() < 0.15) return { state: random.pick(['planning', 'plan']) };
  const changed = [...new Set(tags.flatMap((each) => Object.keys(each)))];
  if (kind === 'destroy') return { service: random.pick(SERVICES), state: random.pick(['removing', 'removed']) };
  const services = drift !== undefined ? [drift.service] : changed.length > 0 ? changed : SERVICES;
  return { service: random.pick(services), state: random.pick(STATES) };
}

function blowOf(random: Random): Blow {
  const kind = random.pick([
    'kill',
    'kill',
    'kill',
    'stop',
    'stop',
    'cut',
    'stall',
    'slow',
    'answers',
    'answers',
    'full',
  ]);
  const victim = weighted(random, VICTIM_WEIGHTS);
  const link = random.pick(LINKS);
  const seconds = random.pick(SECONDS);
  switch (kind) {
    case 'kill':
      return { kind, victim };
    case 'stop':
      return { kind, victim: victim === 'command' ? 'helm' : victim, seconds };
    case 'cut':
    case 'stall':
      return { kind, link, seconds };
    case 'slow':
      return { kind, link, milliseconds: random.pick([50, 200, 800]), seconds };
    case 'answers':
      return { kind, worker: random.pick([1, 2] as const), answer: random.pick(ANSWERS), count: random.between(1, 6) };
    default:
      return { kind: 'full', seconds: random.pick([1, 2, 4]) };
  }
}

function weighted<Name extends string>(random: Random, weights: Readonly<Record<Name, number>>): Name {
  const all = (Object.entries(weights) as [Name, number][]).flatMap(([name, weight]) =>
    Array.from({ length: weight }, () => name),
  );
  return random.pick(all);
}

export function faultText(fault: Fault): string {
  return `operation ${fault.operation + 1}, ${momentText(fault.at)}: ${blowText(fault)}`;
}

export function momentText({ service, state }: Moment): string {
  return service === undefined ? state : `${service} ${state}`;
}

function blowText(blow: Blow): string {
  switch (blow.kind) {
    case 'kill':
      return `${blow.victim} killed`;
    case 'stop':
      return `${blow.victim} stopped for ${blow.seconds} s`;
    case 'cut':
      return `${blow.link} cut for ${blow.seconds} s`;
    case 'stall':
      return `${blow.link} lets nothing through for ${blow.seconds} s`;
    case 'slow':
      return `${blow.link} slower by ${blow.milliseconds} ms for ${blow.seconds} s`;
    case 'answers':
      return `worker-${blow.worker} gets ${blow.answer} from the API server, ${blow.count} times`;
    case 'full':
      return `etcd without space for ${blow.seconds} s`;
    case 'clock':
      return `worker-2 has a clock that is wrong by ${blow.by} s for ${blow.seconds} s`;
  }
}

export function operationText({ kind, tags, at, drift }: Operation): string {
  const images = tags.map((each) =>
    Object.entries(each)
      .map(([service, tag]) => `${service}=${tag}`)
      .join(' '),
  );
  const what = drift === undefined ? images.join(', then ') : `${drift.service} ${drift.how}`;
  return [kind, what, at === undefined ? '' : `at ${momentText(at)}`].filter((part) => part !== '').join(' ');
}
