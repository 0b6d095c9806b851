import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClusterOwner } from '../../../src/contract/owner.ts';
import { type Evidence, rebound, requireOwnership, requireUnclaimed } from '../../../src/plan/ownership/ownership.ts';
import { ownerOfCluster } from '../../support/owner.ts';

const claimant = { environment: 'sandbox', platform: 'ananta', cluster: { uid: 'uid', authority: 'sha256:one' } };

describe('a cluster with an owner record', () => {
  const cases: [string, Partial<ClusterOwner>, RegExp | undefined][] = [
    ['its owner', {}, undefined],
    ['its owner, whose authority nobody could tell then', { cluster: { uid: 'uid' } }, undefined],
    [
      'another environment',
      { environment: 'prod', protected: true, boundBy: 'ops@ci' },
      /belongs to environment "prod" \(protected, bound by ops@ci at 2026-01-01T00:00:00\.000Z\): "sandbox" is another one/,
    ],
    ['another platform of the same environment', { platform: 'mini' }, /belongs to platform "mini" of .*"sandbox"/],
    ['a record that came with a backup of another cluster', { cluster: { uid: 'before' } }, /uid instead of before/],
    [
      'a record in a copy of the whole cluster',
      { cluster: { uid: 'uid', authority: 'sha256:two' } },
      /authority sha256:one instead of sha256:two/,
    ],
  ];
  for (const [name, over, refusal] of cases) {
    test(name, () => {
      const judge = (): unknown => requireOwnership(claimant, ownerOfCluster(over));
      if (refusal) assert.throws(judge, { name: 'OwnerMismatchError', message: refusal });
      else assert.doesNotThrow(judge);
    });
  }
});

describe('a cluster without one', () => {
  const cases: [string, Evidence, RegExp | undefined][] = [
    ['is new', { bound: false, labelled: new Map() }, undefined],
    ['was bound by the engine, and nothing is on it', { bound: true, labelled: new Map() }, undefined],
    ['has releases of the environment', { bound: false, labelled: new Map([['sandbox', 'a/b']]) }, undefined],
    [
      'has releases of another',
      { bound: false, labelled: new Map([['prod', 'apps/auth']]) },
      /release apps\/auth was deployed by environment "prod"\. Nothing/,
    ],
    [
      'has releases of another, and the engine has bound it',
      { bound: true, labelled: new Map([['prod', 'apps/auth']]) },
      /others by "sandbox": nobody can tell whose it is/,
    ],
  ];
  for (const [name, evidence, refusal] of cases) {
    test(name, () => {
      const judge = (): void => requireUnclaimed(claimant, evidence);
      if (refusal) assert.throws(judge, { name: 'OwnerMismatchError', remedy: 'take-over', message: refusal });
      else assert.doesNotThrow(judge);
    });
  }
});

describe('what binding anew makes of the record', () => {
  const by = {
    ...claimant,
    protected: false,
    boundBy: 'me@here',
    at: '2026-02-02T00:00:00.000Z',
    liftProtection: false,
  };
  const none = new Map<string, string>();
  const of = (over: Partial<ClusterOwner>, more: Partial<typeof by> = {}, labelled = none) =>
    rebound({ record: { owner: ownerOfCluster(over) }, labelled }, { ...by, ...more });

  test('the same cluster stays as it is, and is not written', () => {
    const { changed, why } = of({ cluster: by.cluster });
    assert.deepEqual([changed, why], [false, undefined]);
  });

  test('another cluster: only the identity changes, whoever bound it now is named', () => {
    const { changed, owner, why } = of({ cluster: { uid: 'before' }, protected: true, formerly: ['blue'] });
    assert.deepEqual([changed, why], [true, undefined]);
    assert.deepEqual(owner, {
      ...ownerOfCluster({ cluster: by.cluster, protected: true, formerly: ['blue'] }),
      boundBy: by.boundBy,
      at: by.at,
    });
  });

  test('taken over: it is the new one, remembers the one before, and keeps its protection', () => {
    const { owner, from, why, lifted } = of({ environment: 'prod', protected: true, formerly: ['sandbox', 'blue'] });
    assert.match(why ?? '', /belongs to environment "prod"/);
    assert.deepEqual([from, lifted], [['prod'], false]);
    assert.deepEqual([owner.environment, owner.protected, owner.formerly], ['sandbox', true, ['blue', 'prod']]);
  });

  test('protection is lifted only by saying so, and not against the file', () => {
    assert.equal(of({ protected: true }).owner.protected, true);
    const { owner, changed, lifted } = of({ protected: true }, { liftProtection: true });
    assert.deepEqual([owner.protected, changed, lifted], [false, true, true]);
    assert.equal(of({ protected: true }, { liftProtection: true, protected: true }).owner.protected, true);
  });

  test('no record: releases of another make it a take-over, those of its own do not', () => {
    const taken = rebound(
      {
        labelled: new Map([
          ['prod', 'a/b'],
          ['sandbox', 'a/c'],
        ]),
      },
      by,
    );
    assert.deepEqual([taken.from, taken.owner.formerly, taken.why !== undefined], [['prod'], ['prod'], true]);
    const own = rebound({ labelled: new Map([['sandbox', 'a/c']]) }, by);
    assert.deepEqual([own.from, own.changed, own.why], [[], true, undefined]);
  });

  test('a damaged record counts as protected, and has to be taken over', () => {
    const { owner, why, from } = rebound({ record: {}, labelled: new Map([['prod', 'a/b']]) }, by);
    assert.deepEqual([owner.protected, from, why !== undefined], [true, ['prod'], true]);
  });
});
