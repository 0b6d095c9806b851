import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PlanRefusedError } from '../../src/plan/charts/source.ts';
import type { ObservedRelease } from '../../src/plan/observed.ts';
import { checkPlatform, planScope } from '../../src/plan/platform.ts';
import { miniCatalog } from '../support/mini.ts';

const releases = (labels: Record<string, string>, status = 'deployed'): { releases: Map<string, ObservedRelease> } => ({
  releases: new Map([['vault-system/vault', { revision: 1, status, labels } as unknown as ObservedRelease]]),
});

const { services } = await miniCatalog();
const named = (name: string) => ({ name, services });

describe('the platform that an environment carries', () => {
  const OURS = { 'ananta-environment': 'test' };

  test('may be deployed again, and a first time', () => {
    checkPlatform(named('mini'), 'test', { releases: new Map() });
    checkPlatform(named('mini'), 'test', releases({ ...OURS, 'ananta-platform': 'mini' }));
    checkPlatform(named('ananta'), 'test', releases({ ...OURS, 'ananta-platform': 'ananta' }));
  });

  test('is the default one where releases do not say', () => {
    checkPlatform(named('ananta'), 'test', releases(OURS));
    assert.throws(() => checkPlatform(named('mini'), 'test', releases(OURS)), PlanRefusedError);
  });

  test('is not replaced by another one: the refusal names both, and a release', () => {
    assert.throws(
      () => checkPlatform(named('ananta'), 'test', releases({ ...OURS, 'ananta-platform': 'mini' })),
      (error: Error) => {
        assert.ok(error instanceof PlanRefusedError);
        assert.match(error.message, /carries the platform "mini".*vault-system\/vault.*names "ananta"/);
        assert.match(error.message, /Set platform: mini again/);
        return true;
      },
    );
  });

  test("is no matter of what is uninstalled, nor of another environment's releases", () => {
    checkPlatform(named('ananta'), 'test', releases({ ...OURS, 'ananta-platform': 'mini' }, 'uninstalled'));
    checkPlatform(named('ananta'), 'test', releases({ 'ananta-environment': 'other', 'ananta-platform': 'mini' }));
  });

  test('is no matter of a record that says nothing, under a name that nobody has', () => {
    const [release] = releases(OURS).releases.values();
    checkPlatform(named('mini'), 'test', { releases: new Map([['apps/leftover', release!]]) });
    const others = { ...release!, labels: { ...OURS, 'ananta-platform': 'wide' } };
    assert.throws(() => checkPlatform(named('mini'), 'test', { releases: new Map([['apps/leftover', others]]) }));
  });

  test('is part of what a plan is about; plans of the default one are named as before there were others', () => {
    assert.equal(planScope('test', { name: 'ananta' }), 'test');
    assert.notEqual(planScope('test', { name: 'mini' }), planScope('test', { name: 'wide' }));
  });
});
