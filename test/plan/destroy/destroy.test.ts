import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IN_CLUSTER, RELEASE_LABELS } from '../../../src/contract/names.ts';
import type { OperationPlan } from '../../../src/contract/operations/plan.ts';
import { buildDestroyPlan, type DestroyPlanInput } from '../../../src/plan/destroy/destroy.ts';
import { topologicalOrder } from '../../../src/plan/graph.ts';
import type { ObservedRelease } from '../../../src/plan/observed.ts';
import { allReleases } from '../../../src/plan/releases.ts';
import { soundSample } from '../../catalog/sample.ts';
import { miniCatalog } from '../../support/mini.ts';

const catalog = soundSample();
const environment: DestroyPlanInput['environment'] = { name: 'test', helm: { concurrency: 2, timeoutSeconds: 300 } };

const of = (labels: Record<string, string> = {}, more: Partial<ObservedRelease> = {}): ObservedRelease => ({
  revision: 3,
  status: 'deployed',
  labels: { [RELEASE_LABELS.environment]: 'test', [RELEASE_LABELS.digest]: 'abc', ...labels },
  ...more,
});
const everything = (whole = catalog): Map<string, ObservedRelease> =>
  new Map(
    allReleases(whole)
      .filter(({ kind }) => kind === 'release')
      .map(({ namespace, name, service }) => [`${namespace}/${name}`, of({ [RELEASE_LABELS.service]: service })]),
  );
const plan = (input: Partial<DestroyPlanInput> = {}): OperationPlan =>
  buildDestroyPlan({ catalog, environment, releases: everything(), marked: new Map(), deleteData: false, ...input });
const service = (result: OperationPlan, name: string): OperationPlan['services'][number] => {
  const found = result.services.find((candidate) => candidate.name === name);
  assert.ok(found, name);
  return found;
};

describe('plan of a destruction', () => {
  test('every dependency is turned around: what depends on a service goes before it, over the whole platform', async () => {
    const whole = await miniCatalog();
    const result = plan({ catalog: whole, releases: everything(whole) });
    assert.ok(result.services.every(({ action }) => action === 'remove'));
    const order = topologicalOrder(result.services).map(({ name }) => name);
    for (const { name, dependsOn } of whole.services)
      for (const needed of dependsOn)
        assert.ok(order.indexOf(name) < order.indexOf(needed), `${name} goes before ${needed}`);
    assert.equal(result.operation, 'destroy');
    assert.ok(result.criticalPath.length > 3 && result.criticalPath.at(-1) === 'vault');
  });

  test('the steps of a service run backwards; the initialisation of Vault has nothing to uninstall', async () => {
    const mini = await miniCatalog();
    const services = mini.services.map((row) => (row.name === 'auth' ? { ...row, before: row.after, after: [] } : row));
    const whole = { ...mini, services };
    const result = plan({ catalog: whole, releases: everything(whole) });
    assert.deepEqual(
      service(result, 'database').steps.map(({ name }) => name),
      ['database-roles', 'database'],
    );
    assert.deepEqual(
      service(result, 'auth').steps.map(({ name }) => name),
      ['auth', 'auth-realm'],
    );
    assert.deepEqual(
      service(result, 'vault').steps.map(({ name, action }) => [name, action]),
      [
        ['vault-init', 'unchanged'],
        ['vault', 'remove'],
      ],
    );
  });

  test('an empty cluster: nothing to do', () => {
    const result = plan({ releases: new Map() });
    assert.ok(result.services.every(({ action, reason }) => action === 'unchanged' && reason !== ''));
  });

  const [first] = allReleases(catalog).filter(({ kind, position }) => kind === 'release' && position === 'main');
  assert.ok(first);
  const key = `${first.namespace}/${first.name}`;
  const CASES: [what: string, found: ObservedRelease | undefined, marked: number, action: string, reason: RegExp][] = [
    ['deployed', of(), 0, 'remove', /^revision 3$/],
    [
      'half installed',
      of({}, { status: 'pending-install', revision: 1 }),
      0,
      'remove',
      /^revision 1 is pending-install$/,
    ],
    ['half uninstalled', of({}, { status: 'uninstalling' }), 0, 'remove', /is uninstalling/],
    ['gone', undefined, 0, 'unchanged', /^not there$/],
    ['without a record, but with objects', undefined, 4, 'remove', /no record of it, but objects are left: 4/],
    [
      "somebody else's",
      of({ [RELEASE_LABELS.environment]: 'staging' }),
      7,
      'unchanged',
      /left alone: made by a deployment to environment "staging"/,
    ],
    [
      'of nobody we know',
      { revision: 1, status: 'deployed', labels: {} },
      7,
      'unchanged',
      /left alone: made by no deployment of ours/,
    ],
  ];
  for (const [what, found, count, action, reason] of CASES) {
    test(`a release that is ${what}`, () => {
      const releases = everything();
      if (found) releases.set(key, found);
      else releases.delete(key);
      const result = plan({ releases, marked: new Map([[key, count]]) });
      const step = service(result, first.service).steps.find(({ name }) => name === first.name);
      assert.equal(step?.action, action);
      assert.match(step?.reason ?? '', reason);
      assert.equal(
        result.notes?.some((note) => note.startsWith(`${key}: left alone`)),
        reason.source.startsWith('left alone'),
      );
    });
  }

  test('releases that the catalog no longer has: with their service, or for themselves and before the foundations', () => {
    const releases = everything();
    releases.set('apps/old-step', of({ [RELEASE_LABELS.service]: first.service }));
    releases.set('apps/old-service', of({ [RELEASE_LABELS.service]: 'old-service' }));
    releases.set(`elsewhere/${first.name}`, of());
    releases.set('elsewhere/foreign', { revision: 1, status: 'deployed', labels: {} });
    const result = plan({ releases });
    assert.equal(service(result, first.service).steps[0]?.name, 'old-step');
    assert.deepEqual(service(result, 'old-service').dependsOn, []);
    assert.equal(service(result, `elsewhere.${first.name}`).steps[0]?.namespace, 'elsewhere');
    assert.ok(!result.services.some(({ name }) => name === 'foreign'));
    const order = topologicalOrder(result.services).map(({ name }) => name);
    const foundation = catalog.services.find(
      ({ dependsOn, name }) =>
        dependsOn.length === 0 && catalog.services.some((other) => other.dependsOn.includes(name)),
    );
    assert.ok(foundation && order.indexOf('old-service') < order.indexOf(foundation.name));
  });

  test('the deployer itself, installed into the cluster, is not taken for a service that the catalog has lost', () => {
    const releases = everything();
    releases.set(`${IN_CLUSTER.namespace}/${IN_CLUSTER.worker}`, of({ [RELEASE_LABELS.service]: IN_CLUSTER.worker }));
    const result = plan({ releases });
    assert.deepEqual(result.services, plan().services);
    // Who may not look into its namespace comes to the same plan, and so to the same digest.
    assert.equal(result.digest, plan().digest);
  });

  test('the digest tells plans apart that keep data from those that do not', () => {
    assert.notEqual(plan().digest, plan({ deleteData: true }).digest);
    assert.equal(plan().digest, plan().digest);
  });
});
