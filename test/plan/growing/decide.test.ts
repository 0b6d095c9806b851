/** Which volumes grow, what is replaced for it, and what is refused before anything is touched. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decideGrowth, type DecidedGrowth } from '../../../src/plan/growing/decide.ts';
import {
  type ClaimOptions,
  claimManifest,
  liveClaim,
  liveSet,
  objectsOf,
  setManifest,
  type SetOptions,
} from './sample.ts';

interface Case {
  name: string;
  /** Rendered; a text: as it is. */
  wanted: SetOptions | string;
  set?: SetOptions;
  claims?: ClaimOptions[];
  is?: Partial<DecidedGrowth>;
  refused?: RegExp;
  notes?: RegExp;
}

const claim = (from: string, to: string, name = 'data-db-0'): object => ({ name, from, to, storageClass: 'fast' });
const replaced = (size: string): object => ({ name: 'db', sizes: { data: size } });

const CASES: Case[] = [
  { name: 'nothing has changed', wanted: { size: '1Gi' }, set: {}, claims: [{}] },
  { name: 'the same, written otherwise', wanted: { size: '1024Mi' }, set: {}, claims: [{}] },
  {
    name: 'a larger template: its claims grow, the set is replaced',
    wanted: { size: '2Gi' },
    set: {},
    claims: [{}, { name: 'data-db-1' }],
    is: { claims: [claim('1Gi', '2Gi'), claim('1Gi', '2Gi', 'data-db-1')], sets: [replaced('2Gi')] } as object,
  },
  {
    name: 'claims of others with names alike are left alone',
    wanted: { size: '2Gi' },
    set: {},
    claims: [{ name: 'data-db-x-0' }, { name: 'data-db-0-old' }, { name: 'logs-db-0' }, { name: 'data-dbs-0' }],
    is: { claims: [], sets: [replaced('2Gi')] } as object,
  },
  {
    name: 'the set is gone, its pods and claims are there: the claims grow, and the upgrade makes it',
    wanted: { size: '2Gi' },
    claims: [{}],
    is: { claims: [claim('1Gi', '2Gi')], sets: [] } as object,
  },
  {
    name: 'asked for by a run that was cut off: waited for',
    wanted: { size: '2Gi' },
    claims: [{ request: '2Gi', capacity: '1Gi' }],
    is: { claims: [claim('1Gi', '2Gi')], sets: [] } as object,
  },
  {
    name: 'claims have grown, the set has not: replaced alone',
    wanted: { size: '2Gi' },
    set: {},
    claims: [{ request: '2Gi' }],
    is: { claims: [], sets: [replaced('2Gi')] } as object,
  },
  { name: 'a volume larger than asked for is none that grows', wanted: {}, set: {}, claims: [{ capacity: '1025Mi' }] },
  {
    name: 'a claim that somebody has made larger stays, and is named',
    wanted: { size: '2Gi' },
    set: {},
    claims: [{ request: '5Gi' }],
    is: { claims: [], sets: [replaced('2Gi')] } as object,
    notes: /claim data-db-0 has 5Gi, more than the 2Gi that are asked for, and stays so/,
  },
  {
    name: 'after a rollback that kept the claims',
    wanted: { size: '1Gi' },
    set: {},
    claims: [{ request: '2Gi' }],
    notes: /data-db-0 has 2Gi/,
  },
  {
    name: 'a smaller template',
    wanted: { size: '1Gi' },
    set: { size: '2Gi' },
    claims: [{ request: '2Gi' }],
    refused: /claims data of StatefulSet db would shrink from 2Gi to 1Gi, and volumes never shrink: write 2Gi or more/,
  },
  {
    name: 'a new template beside the first',
    wanted: setManifest({ size: '1Gi', template: 'logs' }),
    set: {},
    claims: [],
    refused: /volumeClaimTemplates/,
  },
  {
    name: 'another class with the size',
    wanted: { size: '2Gi', storageClass: 'slow' },
    set: {},
    claims: [{}],
    refused: /storageClassName changes with it \(the default → slow\).*change the size alone/,
  },
  {
    name: 'another governing service with the size',
    wanted: { size: '2Gi', serviceName: 'other' },
    set: {},
    claims: [{}],
    refused: /serviceName changes with it \(db-headless → other\)/,
  },
  {
    name: 'another class and the same size is nobody’s growth',
    wanted: { storageClass: 'slow' },
    set: {},
    claims: [{}],
  },
  {
    name: 'a claim that is not bound',
    wanted: { size: '2Gi' },
    set: {},
    claims: [{ phase: 'Pending' }],
    refused: /claim data-db-0 is not bound to a volume, and only bound claims can grow/,
  },
  {
    name: 'a claim of another environment',
    wanted: { size: '2Gi' },
    set: {},
    claims: [{ labels: { 'ananta.dev/environment': 'theirs' } }],
    refused: /claim data-db-0 belongs to another environment/,
  },
  {
    name: 'a claim of its own, in a chart',
    wanted: claimManifest('3Gi'),
    claims: [{ name: 'files' }],
    is: { claims: [claim('1Gi', '3Gi', 'files')], sets: [] } as object,
  },
  {
    name: 'the same, smaller',
    wanted: claimManifest('1Gi'),
    claims: [{ name: 'files', request: '3Gi' }],
    refused: /claim files would shrink from 3Gi to 1Gi, and volumes never shrink: write 3Gi or more/,
  },
  { name: 'a claim that is not there yet', wanted: claimManifest('3Gi'), claims: [] },
];

describe('growing volumes', () => {
  for (const { name, wanted, set, claims = [], is, refused, notes } of CASES)
    test(name, () => {
      const decided = decideGrowth({
        release: { namespace: 'data', name: 'db' },
        wanted: objectsOf(typeof wanted === 'string' ? wanted : setManifest(wanted)),
        live: { claims: claims.map(liveClaim), sets: set === undefined ? [] : [liveSet(set)] },
        environment: { name: 'ours', formerly: ['before'] },
      });
      if (is === undefined && refused === undefined && notes === undefined) assert.equal(decided, undefined);
      else {
        if (is !== undefined) assert.deepEqual({ claims: decided?.claims, sets: decided?.sets }, is);
        if (refused === undefined) assert.deepEqual(decided?.refused, []);
        else {
          assert.match(decided?.refused.join('\n') ?? '', refused);
          assert.deepEqual(decided?.sets, []);
        }
        if (notes === undefined) assert.deepEqual(decided?.notes, []);
        else assert.match(decided?.notes.join('\n') ?? '', notes);
      }
    });

  test('what an environment before this one has made is its own', () => {
    const decided = decideGrowth({
      release: { namespace: 'data', name: 'db' },
      wanted: objectsOf(setManifest({ size: '2Gi' })),
      live: { claims: [liveClaim({ labels: { 'ananta.dev/environment': 'before' } })], sets: [liveSet()] },
      environment: { name: 'ours', formerly: ['before'] },
    });
    assert.deepEqual(decided?.refused, []);
    assert.equal(decided.claims.length, 1);
  });
});
