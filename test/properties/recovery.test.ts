/**
 * The recovery of a release, in every order in which things can happen: the decisions are the code's own
 * (src/plan/recovery). Around them a Helm that writes its record, applies and ends or dies at any moment, its worker
 * that may die, its run that may end, and a worker that looks at one thing after the other while all of that goes on.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as code from '../../src/plan/recovery/recovery.ts';
import type { Next, Seen, SeenHelm, Wanted } from '../../src/plan/recovery/recovery.ts';

const OURS = 'run-2';
const DIGEST = 'wanted';

interface Record_ {
  status: 'pending-upgrade' | 'deployed' | 'failed';
  run: string | undefined;
  digest: string;
  /** Each write makes another one. */
  version: number;
  /** Whose Helm wrote it. */
  by: 'theirs' | 'ours';
}

interface World {
  /** The newest record; undefined: that of the revision before, which is deployed. */
  record: Record_ | undefined;
  /** Of whoever was there before. */
  theirs: 'starts' | 'applies' | 'over';
  /** Of whoever recovers, once nothing stands in the way. */
  ours: 'none' | 'starts' | 'applies' | 'over';
  worker: 'lives' | 'gone';
  runAlive: boolean;
  /** What whoever recovers knows; undefined between two attempts. */
  seen: (Seen & { version: number }) | undefined;
  /** Attempts that are made at most. */
  left: number;
  wentWrong?: string;
}

/** What does not change. */
interface Case {
  /** Where their Helm is: in our own records, on this machine by its owner's label, or out of sight. */
  place: 'ours' | 'owners' | 'elsewhere';
  run: string | undefined;
  digest: string;
  letFinish: boolean;
}

type Code = Pick<typeof code, 'nextOf'>;

function helmOf({ theirs, worker }: World, { run }: Case): SeenHelm | undefined {
  return theirs === 'over' ? undefined : { run: run ?? 'somebody', worker };
}

function look(world: World, of: Case): World['seen'] {
  const { record } = world;
  return {
    revision: record === undefined ? undefined : { status: record.status, run: record.run, digest: record.digest },
    helm: of.place === 'ours' ? helmOf(world, of) : undefined,
    ended: false,
    version: record?.version ?? 0,
  };
}

function steps(world: World, of: Case, { nextOf }: Code): { what: string; next: World }[] {
  const found: { what: string; next: World }[] = [];
  const can = (what: string, next: Partial<World>): void => {
    found.push({ what, next: { ...world, ...next } });
  };
  const { record, theirs, ours, seen } = world;
  const written = (status: Record_['status'], by: Record_['by']): Partial<World> => ({
    record: {
      status,
      by,
      run: by === 'ours' ? OURS : of.run,
      digest: by === 'ours' ? DIGEST : of.digest,
      version: (record?.version ?? 0) + 1,
    },
  });
  if (world.worker === 'lives') can('their worker dies', { worker: 'gone' });
  // A run goes on as long as its step has not ended, or its worker is gone and nobody does it.
  if (world.runAlive && (theirs === 'over' || world.worker === 'gone')) can('their run ends', { runAlive: false });
  if (theirs === 'starts') {
    // Helm refuses to begin over an unfinished record.
    if (record?.status !== 'pending-upgrade')
      can('their Helm begins', { theirs: 'applies', ...written('pending-upgrade', 'theirs') });
    else can('their Helm is refused', { theirs: 'over' });
  }
  if (theirs === 'applies') {
    // Helm writes into its own record: when that was removed, the write fails.
    const isThere = record?.by === 'theirs';
    can('their Helm has finished', { theirs: 'over', ...(isThere ? written('deployed', 'theirs') : {}) });
    can('their Helm fails', { theirs: 'over', ...(isThere ? written('failed', 'theirs') : {}) });
  }
  if (theirs !== 'over') can('their Helm is killed', { theirs: 'over' });
  if (ours === 'starts') {
    if (record?.status === 'pending-upgrade') can('our Helm is refused', { ours: 'none' });
    else can('our Helm begins', { ours: 'applies', ...written('pending-upgrade', 'ours') });
  }
  if (ours === 'applies') can('our Helm has finished', { ours: 'over', ...written('deployed', 'ours') });
  if (seen === undefined) {
    if (ours === 'none' && world.left > 0) can('we look', { seen: look(world, of), left: world.left - 1 });
    return found;
  }
  const wanted: Wanted = { run: OURS, undoes: undefined, digest: DIGEST, letFinish: of.letFinish };
  const next: Next = nextOf(seen, wanted);
  const knows = (more: Partial<Seen>): void => {
    can(`we know ${JSON.stringify(more)}`, { seen: { ...seen, ...more } });
  };
  switch (next.do) {
    case 'nothing':
      can('we begin', { seen: undefined, ours: 'starts' });
      break;
    case 'wait':
      can(`we wait: ${next.why}`, { seen: undefined, left: world.left + 1 });
      break;
    case 'ask':
      if (next.what === 'run') knows({ runAlive: world.runAlive });
      // Its guard ends a Helm before its time is over: older than that, none is at work.
      else if (next.what === 'age') {
        knows({ overdue: false });
        if (theirs === 'over') knows({ overdue: true });
      } else
        knows({ owner: of.place === 'elsewhere' ? 'unknown' : (of.place === 'owners' && helmOf(world, of)) || 'none' });
      break;
    case 'let-finish':
    case 'end': {
      if (next.do === 'let-finish' && theirs !== 'over') break;
      // Whatever its end, it may have written a last word: so everything is looked at again.
      const then: World = { ...world, theirs: 'over' };
      const again = look(then, of);
      if (again !== undefined)
        found.push({
          what: `their Helm: ${next.do}`,
          next: {
            ...then,
            seen: {
              ...seen,
              ...again,
              ended: seen.ended || next.whose === 'ours',
              ...(next.whose === 'owners' ? { owner: 'ended' } : {}),
            },
          },
        });
      break;
    }
    case 'remove-record':
      if (record?.version !== seen.version)
        can('the record is another by now', { seen: undefined, left: world.left + 1 });
      else
        can('we remove the record', {
          record: undefined,
          seen: look({ ...world, record: undefined }, of),
          ...(record.by === 'theirs' && theirs === 'applies'
            ? { wentWrong: 'the record of a Helm that is at work was removed' }
            : {}),
        });
      break;
  }
  return found;
}

/** @returns what is wrong of a world, if anything is */
function wrong({ theirs, ours, wentWrong, record }: World): string | undefined {
  if (wentWrong !== undefined) return wentWrong;
  if (theirs === 'applies' && ours === 'applies') return 'two Helms are at work on one release';
  if (ours === 'over' && record?.status === 'pending-upgrade') return 'unfinished at the end';
  return undefined;
}

interface Explored {
  worlds: number;
  problems: string[];
  /** States from which no sequence of steps leads to an end. */
  stuck: string[];
}

function explore(of: Case, begin: World, with_: Code = code): Explored {
  const paths = new Map<string, string>();
  const before = new Map<string, string[]>();
  const ends: string[] = [];
  const problems: string[] = [];
  const open: { world: World; path: string }[] = [{ world: begin, path: '' }];
  paths.set(JSON.stringify(begin), '');
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const key = JSON.stringify(at.world);
    const problem = wrong(at.world);
    if (problem !== undefined) {
      problems.push(`${problem}:${at.path}`);
      continue;
    }
    if (at.world.ours === 'over') ends.push(key);
    for (const { what, next } of steps(at.world, of, with_)) {
      const nextKey = JSON.stringify(next);
      before.set(nextKey, [...(before.get(nextKey) ?? []), key]);
      if (paths.has(nextKey)) continue;
      paths.set(nextKey, `${at.path}\n  ${what}`);
      open.push({ world: next, path: `${at.path}\n  ${what}` });
    }
  }
  const reached = new Set(ends);
  for (const todo = [...ends]; todo.length > 0; )
    for (const key of before.get(todo.pop() ?? '') ?? [])
      if (!reached.has(key)) {
        reached.add(key);
        todo.push(key);
      }
  return { worlds: paths.size, problems, stuck: [...paths].flatMap(([key, path]) => (reached.has(key) ? [] : [path])) };
}

function* cases(): Generator<{ of: Case; begin: World }> {
  for (const place of ['ours', 'owners', 'elsewhere'] as const)
    for (const run of [OURS, 'run-1'])
      for (const digest of [DIGEST, 'other'])
        for (const letFinish of [true, false])
          for (const worker of ['lives', 'gone'] as const)
            for (const runAlive of run === OURS ? [false] : [true, false])
              for (const theirs of ['starts', 'applies', 'over'] as const) {
                // One that has written nothing, and is not in our records, is kept out by the lock of the operation.
                if (theirs === 'starts' && place !== 'ours') continue;
                const record: Record_ = { status: 'pending-upgrade', run, digest, version: 1, by: 'theirs' };
                yield {
                  of: { place, run, digest, letFinish },
                  begin: {
                    ...{ record: theirs === 'starts' ? undefined : record, theirs, ours: 'none', worker, runAlive },
                    ...{ seen: undefined, left: 2 },
                  },
                };
              }
}

const all = [...cases()];

test('no record of a Helm at work is removed, never two are at work, and there is always a way to the end', () => {
  let worlds = 0;
  for (const { of, begin } of all) {
    const found = explore(of, begin);
    worlds += found.worlds;
    assert.deepEqual(found.problems, [], JSON.stringify({ of, begin }));
    assert.deepEqual(found.stuck, [], JSON.stringify({ of, begin }));
  }
  assert.ok(all.length > 80 && worlds > 3000, `${all.length} cases, ${worlds} worlds`);
});

test('what somebody else left pending is never touched, whatever becomes of it', () => {
  const of: Case = { place: 'elsewhere', run: undefined, digest: 'x', letFinish: true };
  const record: Record_ = { status: 'pending-upgrade', run: undefined, digest: 'x', version: 1, by: 'theirs' };
  const seen: Seen & { version: number } = {
    revision: record,
    helm: undefined,
    ended: false,
    version: 1,
  };
  const begin: World = { record, theirs: 'over', ours: 'none', worker: 'gone', runAlive: false, seen, left: 2 };
  assert.deepEqual(code.nextOf(seen, { run: OURS, undoes: undefined, digest: DIGEST, letFinish: true }), {
    do: 'wait',
    why: 'somebodys',
  });
  const { problems, stuck, worlds } = explore(of, begin);
  assert.deepEqual(problems, []);
  // Without whoever it is, nothing goes on: the message names the way out.
  assert.equal(stuck.length, worlds);
});

test('the exploration finds what is planted', () => {
  const impatient: Code = {
    nextOf: (seen, wanted) => {
      const next = code.nextOf(seen, wanted);
      return next.do === 'wait' && next.why === 'out-of-sight' ? { do: 'remove-record' } : next;
    },
  };
  const blind: Code = { nextOf: (seen, wanted) => code.nextOf({ ...seen, helm: undefined, owner: 'none' }, wanted) };
  const timid: Code = {
    nextOf: (seen, wanted) => {
      const next = code.nextOf(seen, wanted);
      return next.do === 'remove-record' ? { do: 'wait', why: 'helm' } : next;
    },
  };
  const results = (with_: Code): Explored[] => all.map(({ of, begin }) => explore(of, begin, with_));
  assert.ok(results(impatient).some(({ problems }) => /Helm that is at work was removed/.test(problems[0] ?? '')));
  assert.ok(results(blind).some(({ problems }) => problems.length > 0));
  assert.ok(results(timid).some(({ stuck }) => stuck.length > 0));
});
