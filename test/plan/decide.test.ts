import { RELEASE_LABELS } from '../../src/contract/names.ts';
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { leftLabel } from '../../src/plan/fields/left.ts';
import type { OperationPlan, PlannedAction, PlannedStep } from '../../src/contract/operations/plan.ts';
import { readConfig } from '../../src/config.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { PlanRefusedError } from '../../src/plan/charts/source.ts';
import { buildPlan } from '../../src/plan/decide.ts';
import { soundSample } from '../catalog/sample.ts';
import { miniCatalog } from '../support/mini.ts';
import { asWanted, nothingThere, wantedDigests, type ObservedSample } from './observed-sample.ts';

const catalog = soundSample();
let environment: Environment;
before(async () => {
  environment = await loadEnvironment('sandbox', readConfig({}));
});

function plan(observed: ObservedSample, digests = wantedDigests(catalog)): OperationPlan {
  return buildPlan({ catalog, environment, digests, observed });
}

function stepOf(result: OperationPlan, name: string): PlannedStep {
  const step = result.services.flatMap(({ steps }) => steps).find((candidate) => candidate.name === name);
  assert.ok(step, name);
  return step;
}

interface Case {
  name: string;
  given: (observed: ObservedSample, digests: Map<string, string>) => void;
  step: string;
  action: PlannedAction;
  reason: string;
}

const release = (observed: ObservedSample, key: string, over: object): void => {
  const found = observed.releases.get(key);
  assert.ok(found, key);
  observed.releases.set(key, { ...found, ...over });
};

const SCALED = { kind: 'Deployment', namespace: 'apps', name: 'api', field: 'spec.replicas', owner: 'x' };

const CASES: Case[] = [
  { name: 'as wanted', given: () => undefined, step: 'api', action: 'unchanged', reason: 'as wanted' },
  {
    name: 'Job as wanted',
    given: () => undefined,
    step: 'migrate',
    action: 'unchanged',
    reason: 'completed, as wanted',
  },
  {
    name: 'its StatefulSet was deleted without its pods',
    given: (o) => {
      o.orphaned = new Set(['apps/api']);
    },
    step: 'api',
    action: 'retry',
    reason: 'its StatefulSet is gone, and its pods run on without it',
  },
  {
    name: 'nothing there',
    given: (o) => {
      o.releases.delete('apps/api');
    },
    step: 'api',
    action: 'install',
    reason: 'not there yet',
  },
  {
    name: 'uninstalled, history kept',
    given: (o) => release(o, 'apps/api', { status: 'uninstalled' }),
    step: 'api',
    action: 'install',
    reason: 'was uninstalled',
  },
  {
    name: 'its namespace goes',
    given: (o) => {
      o.terminating = new Set(['apps']);
    },
    step: 'api',
    action: 'install',
    reason: 'its namespace apps is being deleted with all that is in it, and made anew',
  },
  {
    name: 'somebody has deleted a definition of its chart',
    given: (o) => {
      o.lostDefinitions = new Map([['api', ['things.example.com']]]);
    },
    step: 'api',
    action: 'retry',
    reason: 'CustomResourceDefinition things.example.com is gone, with all objects of that kind',
  },
  {
    name: 'changed',
    given: (_, digests) => {
      digests.set('api', 'digest-new');
    },
    step: 'api',
    action: 'upgrade',
    reason: 'chart, values or image changed: digest-api is deployed, digest-new is wanted',
  },
  {
    name: 'made by somebody else',
    given: (o) => release(o, 'apps/api', { labels: {} }),
    step: 'api',
    action: 'upgrade',
    reason: 'what it was made from is not recorded',
  },
  {
    name: 'failed',
    given: (o) => release(o, 'apps/api', { status: 'failed' }),
    step: 'api',
    action: 'retry',
    reason: 'revision 3 failed',
  },
  {
    name: 'interrupted install',
    given: (o) => release(o, 'apps/api', { status: 'pending-install', revision: 1 }),
    step: 'api',
    action: 'retry',
    reason: 'revision 1 was interrupted (pending-install)',
  },
  {
    name: 'interrupted upgrade',
    given: (o) => release(o, 'apps/api', { status: 'pending-upgrade' }),
    step: 'api',
    action: 'retry',
    reason: 'revision 3 was interrupted (pending-upgrade)',
  },
  {
    name: 'interrupted rollback',
    given: (o) => release(o, 'apps/api', { status: 'pending-rollback' }),
    step: 'api',
    action: 'retry',
    reason: 'revision 3 was interrupted (pending-rollback)',
  },
  {
    name: 'half uninstalled',
    given: (o) => release(o, 'apps/api', { status: 'uninstalling' }),
    step: 'api',
    action: 'retry',
    reason: 'revision 3 is uninstalling',
  },
  {
    name: 'unhealthy',
    given: (o) => {
      o.health.set('apps/api', { healthy: false, reason: '0/1 pods ready', jobFailed: false });
    },
    step: 'api',
    action: 'verify',
    reason: 'applied, but not healthy: 0/1 pods ready',
  },
  {
    name: 'Job still running',
    given: (o) => {
      o.health.set('apps/migrate', { healthy: false, reason: 'Job is running', jobFailed: false });
    },
    step: 'migrate',
    action: 'verify',
    reason: 'applied, but not healthy: Job is running',
  },
  {
    name: 'Job failed for good',
    given: (o) => {
      o.health.set('apps/migrate', { healthy: false, reason: 'Job failed: BackoffLimitExceeded', jobFailed: true });
    },
    step: 'migrate',
    action: 'retry',
    reason: 'Job failed: BackoffLimitExceeded',
  },
  {
    name: 'Job removed',
    given: (o) => {
      o.health.delete('apps/migrate');
    },
    step: 'migrate',
    action: 'retry',
    reason: 'its Job is gone',
  },
  {
    name: 'Job removed after it had completed: the receipt counts',
    given: (o) => {
      o.health.delete('apps/migrate');
      release(o, 'apps/migrate', { labels: { ...o.releases.get('apps/migrate')?.labels, 'ananta-proven': '3' } });
    },
    step: 'migrate',
    action: 'unchanged',
    reason: 'completed, as wanted; its Job is gone, and the receipt counts',
  },
  {
    name: 'Job removed, and the receipt is of an earlier revision',
    given: (o) => {
      o.health.delete('apps/migrate');
      release(o, 'apps/migrate', { labels: { ...o.releases.get('apps/migrate')?.labels, 'ananta-proven': '2' } });
    },
    step: 'migrate',
    action: 'retry',
    reason: 'its Job is gone',
  },
  {
    name: 'Job removed, and its record is not of ours any more',
    given: (o) => {
      o.health.delete('apps/migrate');
      const labels = { ...o.releases.get('apps/migrate')?.labels, 'ananta-proven': '3' };
      const writtenBy = { manager: 'Helm', at: '2026-01-01T00:00:00.000Z' };
      release(o, 'apps/migrate', { labels, provenance: 'foreign', ours: true, writtenBy });
    },
    step: 'migrate',
    action: 'upgrade',
    reason:
      'revision 3 is not of a deployment of ours (written by Helm, 2026-01-01T00:00:00.000Z): what was applied is put back',
  },
  {
    name: 'a revision of somebody else that was taken over',
    given: (o) => {
      const labels = { ...o.releases.get('apps/api')?.labels, 'ananta-adopted': '3', 'ananta-digest': 'adopted' };
      release(o, 'apps/api', { labels, provenance: 'foreign', ours: true });
    },
    step: 'api',
    action: 'upgrade',
    reason: 'revision 3 was taken over: it becomes what the catalog says',
  },
  {
    name: 'workload removed',
    given: (o) => {
      o.health.delete('apps/api');
    },
    step: 'api',
    action: 'retry',
    reason: 'its workload is gone',
  },
  {
    name: 'a changed failed one is retried, not skipped',
    given: (o, digests) => {
      release(o, 'apps/api', { status: 'failed' });
      digests.set('api', 'digest-new');
    },
    step: 'api',
    action: 'retry',
    reason: 'revision 3 failed',
  },
  {
    name: 'Vault open',
    given: () => undefined,
    step: 'vault-init',
    action: 'unchanged',
    reason: 'open and configured',
  },
  {
    name: 'Vault open, its server changed',
    given: (_, digests) => {
      digests.set('vault', 'digest-new');
    },
    step: 'vault-init',
    action: 'verify',
    reason: 'its server is changed, and is opened again',
  },
  {
    name: 'Vault open, pods of an older template',
    given: (o) => {
      o.vaultServer = { replicas: 1, outdatedPods: 1 };
    },
    step: 'vault-init',
    action: 'upgrade',
    reason: '1 of 1 pods run an older template: they are replaced one by one, each unsealed before the next',
  },
  {
    name: 'Vault absent',
    given: (o) => {
      o.vault = 'absent';
    },
    step: 'vault-init',
    action: 'install',
    reason: 'Vault is not there yet',
  },
  {
    name: 'Vault uninitialized',
    given: (o) => {
      o.vault = 'uninitialized';
    },
    step: 'vault-init',
    action: 'install',
    reason: 'Vault is not initialized',
  },
  {
    name: 'Vault sealed',
    given: (o) => {
      o.vault = 'sealed';
    },
    step: 'vault-init',
    action: 'retry',
    reason: 'Vault is sealed',
  },
  ...(
    [
      ['as long as they are', [SCALED], 'unchanged', 'as wanted'],
      ['when they are not any more', [], 'retry', 'fields that an autoscaler or a lease decided are its own again'],
      ['where nobody could look', undefined, 'unchanged', 'as wanted'],
    ] as const
  ).map(
    ([when, left, action, reason]): Case => ({
      name: `fields left to others, ${when}`,
      given: (o) => {
        release(o, 'apps/api', {
          labels: { [RELEASE_LABELS.digest]: 'digest-api', [RELEASE_LABELS.left]: leftLabel([SCALED]) },
        });
        if (left !== undefined) o.left = left;
      },
      step: 'api',
      action,
      reason,
    }),
  ),
  {
    name: 'Vault unreachable',
    given: (o) => {
      o.vault = 'unreachable';
      o.vaultReason = 'no pod';
    },
    step: 'vault-init',
    action: 'retry',
    reason: 'Vault does not answer: no pod',
  },
  {
    name: 'Vault lacks a path',
    given: (o) => {
      o.vaultConfigured = false;
      o.vaultReason = 'app/token is missing';
    },
    step: 'vault-init',
    action: 'upgrade',
    reason: 'Vault lacks something: app/token is missing',
  },
];

describe('what is decided for a release', () => {
  for (const { name, given, step, action, reason } of CASES) {
    test(name, () => {
      const observed = asWanted(catalog);
      const digests = wantedDigests(catalog);
      given(observed, digests);
      const decided = stepOf(plan(observed, digests), step);
      assert.deepEqual({ action: decided.action, reason: decided.reason }, { action, reason });
    });
  }
});

describe('plan', () => {
  test('of an empty cluster installs everything, prerequisites first', () => {
    const result = plan(nothingThere());
    assert.ok(result.services.every(({ action }) => action === 'install'));
    assert.equal(result.prerequisites, true);
    assert.equal(result.simulated, true);
    assert.deepEqual(
      result.services.map(({ name }) => name),
      ['vault', 'db', 'migrate', 'api', 'web'],
    );
  });

  test('of a cluster as wanted changes nothing', () => {
    const result = plan(asWanted(catalog));
    assert.ok(result.services.every(({ action }) => action === 'unchanged'));
    assert.equal(result.prerequisites, false);
  });

  test('lets the most invasive step speak for the service, by its name', () => {
    const observed = asWanted(catalog);
    observed.releases.delete('apps/db-databases');
    observed.health.set('apps/db', { healthy: false, reason: '0/1 pods ready', jobFailed: false });
    const db = plan(observed).services.find(({ name }) => name === 'db');
    assert.equal(db?.action, 'install');
    assert.equal(db.reason, 'db-databases: not there yet');
    assert.deepEqual(
      db.steps.map(({ action }) => action),
      ['verify', 'install'],
    );
  });

  const PREREQUISITES: [string, (observed: ObservedSample) => void][] = [
    [
      'a namespace is missing',
      (o) => {
        o.namespaces.delete('apps');
      },
    ],
    [
      'Vault is sealed',
      (o) => {
        o.vault = 'sealed';
      },
    ],
    [
      'Vault is not configured',
      (o) => {
        o.vaultConfigured = false;
      },
    ],
  ];
  for (const [name, given] of PREREQUISITES) {
    test(`needs prerequisites where ${name}`, () => {
      const observed = asWanted(catalog);
      given(observed);
      assert.equal(plan(observed).prerequisites, true);
    });
  }

  test('has a digest that covers the revisions that are there', () => {
    const observed = asWanted(catalog);
    const first = plan(observed);
    assert.equal(stepOf(first, 'api').revision, 3);
    assert.equal(stepOf(plan(nothingThere()), 'api').revision, undefined);
    release(observed, 'apps/api', { revision: 4 });
    assert.notEqual(plan(observed).digest, first.digest);
  });

  test('has a digest that follows from steps and actions alone', () => {
    const first = plan(asWanted(catalog)).digest;
    assert.match(first, /^[0-9a-f]{16}$/);
    assert.equal(plan(asWanted(catalog)).digest, first);
    assert.notEqual(plan(nothingThere()).digest, first);
    assert.notEqual(plan(asWanted(catalog), wantedDigests(catalog).set('api', 'other')).digest, first);
  });

  test('orders by what is still ahead, and scales health timeouts', () => {
    const result = buildPlan({
      catalog,
      environment: { ...environment, healthTimeoutFactor: 2 },
      digests: wantedDigests(catalog),
      observed: nothingThere(),
    });
    const ahead = result.services.map(({ remainingSeconds }) => remainingSeconds);
    assert.deepEqual(
      ahead,
      [...ahead].sort((a, b) => b - a),
    );
    assert.equal(result.criticalPathSeconds, ahead[0]);
    assert.deepEqual(result.criticalPath, ['vault', 'db', 'migrate', 'api', 'web']);
    assert.ok(result.services.every(({ healthTimeoutSeconds }) => healthTimeoutSeconds === 200));
  });

  test('needs a digest of every release', () => {
    assert.throws(() => plan(nothingThere(), new Map()), /no digest for release "vault"/);
  });

  test('refuses other charts over existing data', () => {
    const upstream = { ...environment, charts: 'upstream' as const };
    const input = { catalog, environment: upstream, digests: wantedDigests(catalog) };
    assert.throws(
      () => buildPlan({ ...input, observed: asWanted(catalog) }),
      (error: Error) => {
        assert.ok(error instanceof PlanRefusedError);
        assert.match(
          error.message,
          /asks for other charts than those that the data of these services was written by.*: db \(bundled, upstream is asked for\)\. Keep them with chartOverrides: \{ db: bundled \}/,
        );
        return true;
      },
    );
    assert.ok(buildPlan({ ...input, observed: nothingThere() }));
    assert.ok(
      buildPlan({
        ...input,
        environment: { ...upstream, chartOverrides: { db: 'bundled' } },
        observed: asWanted(catalog),
      }),
    );
  });

  test('of the whole platform has all its services', async () => {
    const whole = await miniCatalog();
    const result = buildPlan({ catalog: whole, environment, digests: wantedDigests(whole), observed: asWanted(whole) });
    assert.equal(result.services.length, whole.services.length);
    assert.deepEqual(
      result.services.filter(({ action }) => action !== 'unchanged'),
      [],
    );
  });
});

test('a cluster without nodes is said to be one, before anything waits for pods', () => {
  const observed = nothingThere();
  assert.equal(plan(observed).notes, undefined);
  observed.nodes = 0;
  assert.match(plan(observed).notes?.join() ?? '', /The cluster has no node/);
});
