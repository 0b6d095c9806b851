/**
 * The queue of an environment and its lock, in every order in which things can happen: the transitions are the code's
 * own (src/plan/queue), the engine's part is what makes the lock one, that a workflow id runs once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueueRequest } from '../../src/contract/lock.ts';
import * as code from '../../src/plan/queue/queue.ts';
import type { Queue } from '../../src/plan/queue/queue.ts';

interface World {
  queue: Queue;
  /** Where the queue's workflow is: it waits for a request, for the lock, or for what the engine says of its start. */
  at: 'empty' | 'waits' | 'starts';
  /** Who runs under the lock's id. */
  holder: string | undefined;
  /** Requests in the order in which they were made. */
  made: readonly string[];
  /** Requests and operations of others that are still to come. */
  left: { requests: number; others: number };
  /** Under the lock's id, in their order. */
  ran: readonly string[];
}

interface Step {
  what: string;
  next: World;
}

const request = (id: string): QueueRequest => ({
  requestId: id,
  input: { environment: 'test', imageTags: {}, clusterUid: 'c', requestedBy: id },
});

type Code = Pick<typeof code, 'asked' | 'begun' | 'settled'>;

function steps(world: World, { asked, begun, settled }: Code): Step[] {
  const { queue, at, holder, made, left, ran } = world;
  const found: Step[] = [];
  const can = (what: string, next: Partial<World>): void => {
    found.push({ what, next: { ...world, ...next } });
  };
  if (left.requests > 0) {
    const id = `r${made.length + 1}`;
    can(`${id} asks`, {
      queue: asked(queue, request(id)),
      at: at === 'empty' ? 'waits' : at,
      made: [...made, id],
      left: { ...left, requests: left.requests - 1 },
    });
  }
  // An operation that does not ask the queue. It finds the lock taken, or takes it, at any moment.
  if (left.others > 0 && holder === undefined) {
    const id = `o${left.others}`;
    can(`${id} takes the lock`, { holder: id, ran: [...ran, id], left: { ...left, others: left.others - 1 } });
  }
  // However that comes about: done, cancelled, superseded, its worker's machine gone and terminated by hand.
  if (holder !== undefined) can(`${holder} ends`, { holder: undefined });
  // What was seen may be over when it is acted upon, so that this does not look at the lock again.
  if (at === 'waits' && holder === undefined)
    can('the queue sees that the lock is free', { queue: begun(queue), at: 'starts' });
  if (at === 'starts' && queue.starting !== undefined) {
    const id = queue.starting.requestId;
    const free = holder === undefined;
    const after = settled(queue, free ? { workflowId: 'lock', runId: id } : undefined);
    can(free ? `${id} is started` : `${id} finds the lock taken`, {
      queue: after,
      at: after.newest === undefined ? 'empty' : 'waits',
      ...(free ? { holder: id, ran: [...ran, id] } : {}),
    });
  }
  return found;
}

function check({ queue, at, holder, made, left, ran }: World, path: string): void {
  const waiting = [queue.newest, queue.starting].flatMap((one) => one?.requestId ?? []);
  assert.equal(queue.starting !== undefined, at === 'starts', path);
  assert.equal(new Set(ran).size, ran.length, `nothing runs twice: ${path}`);
  for (const [index, id] of made.entries()) {
    const answer = queue.answers[id];
    assert.equal(answer === undefined, waiting.includes(id), `answered, or still waiting, never lost: ${id}: ${path}`);
    if (answer === undefined) continue;
    if ('started' in answer) assert.ok(ran.includes(id), `said to be started: ${id}: ${path}`);
    else {
      const by = made.indexOf(answer.overtakenBy);
      assert.ok(by > index && !ran.includes(id), `only by a later one, and never both: ${id}: ${path}`);
    }
  }
  for (const id of ran.filter((one) => one.startsWith('r'))) {
    const answer = queue.answers[id];
    assert.ok(answer !== undefined && 'started' in answer && answer.started.runId === id, `is told so: ${id}: ${path}`);
  }
  // Nothing further can happen: every request has its answer, the newest has run, the lock is free.
  if (left.requests > 0 || left.others > 0 || holder !== undefined || at !== 'empty') return;
  assert.deepEqual(waiting, [], path);
  const newest = made.at(-1);
  if (newest !== undefined) assert.equal(ran.filter((one) => one.startsWith('r')).at(-1), newest, path);
}

/** @returns how many states there are, and in how many of them everything has come to its end */
function explore(requests: number, others: number, what: Code = code): { states: number; ends: number } {
  const begin: World = {
    queue: code.EMPTY_QUEUE,
    at: 'empty',
    holder: undefined,
    made: [],
    left: { requests, others },
    ran: [],
  };
  const seen = new Map<string, number>();
  const open: { world: World; path: string }[] = [{ world: begin, path: '' }];
  let ends = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const key = JSON.stringify(next.world);
    if (seen.has(key)) continue;
    seen.set(key, seen.size);
    check(next.world, next.path);
    const further = steps(next.world, what);
    if (further.length === 0) ends += 1;
    for (const step of further) open.push({ world: step.next, path: `${next.path}; ${step.what}` });
  }
  return { states: seen.size, ends };
}

test('in every order nobody is forgotten, the newest wins, the lock has one holder and is free in the end', () => {
  // Another number means that something else can happen now.
  assert.deepEqual(explore(4, 3), { states: 2306, ends: 220 });
});

const withNewest = (queue: Queue, { newest }: Queue): Queue => (newest === undefined ? queue : { ...queue, newest });
const BROKEN: [string, Partial<Code>, RegExp][] = [
  [
    'one whose lock was taken in between is dropped',
    {
      settled: (queue, started) =>
        started === undefined ? withNewest({ answers: queue.answers }, queue) : code.settled(queue, started),
    },
    /answered, or still waiting, never lost/,
  ],
  [
    'an older one is put back before the newest',
    {
      asked: (queue, one) =>
        queue.newest === undefined
          ? code.asked(queue, one)
          : code.asked(withNewest(queue, { newest: one, answers: {} }), queue.newest),
    },
    /only by a later one, and never both/,
  ],
  [
    'one that is started waits on',
    { begun: (queue) => withNewest(code.begun(queue), queue) },
    /nothing runs twice|answered, or still waiting, never lost/,
  ],
];
for (const [what, broken, found] of BROKEN)
  test(`the search finds it when ${what}`, () => {
    assert.throws(() => explore(3, 2, { ...code, ...broken }), found);
  });
