import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import type { Selection } from '../../src/contract/operations/deploy.ts';
import type { OperationPlan } from '../../src/contract/operations/plan.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { buildPlan } from '../../src/plan/decide.ts';
import {
  DependencyMissingError,
  type Graph,
  selectedServices,
  SelectionError,
  describeSelection,
  selectPlan,
} from '../../src/plan/selection.ts';
import { soundSample } from '../catalog/sample.ts';
import { asWanted, nothingThere, type ObservedSample, wantedDigests } from './observed-sample.ts';

const catalog = soundSample();
let environment: Environment;
before(async () => {
  environment = await loadEnvironment('sandbox', readConfig({}));
});

const graph = (services: Record<string, { phase: number; dependsOn?: string[] }>): Graph => ({
  services: Object.entries(services).map(([name, { phase, dependsOn = [] }]) => ({ name, phase, dependsOn })),
  phases: [1, 2, 3, 4].map((number) => ({ number, title: `Phase ${number}` })),
});
const SIX = graph({
  vault: { phase: 1 },
  postgres: { phase: 2, dependsOn: ['vault'] },
  redis: { phase: 2, dependsOn: ['vault'] },
  api: { phase: 3, dependsOn: ['postgres', 'redis'] },
  web: { phase: 4, dependsOn: ['api'] },
  docs: { phase: 4 },
});

describe('which services a selection names', () => {
  const CASES: [name: string, selection: Selection, expected: string[]][] = [
    ['only, in the order of the catalog', { only: ['web', 'redis'] }, ['redis', 'web']],
    ['a phase', { phases: [2] }, ['postgres', 'redis']],
    ['several phases and a service', { phases: [1, 4], only: ['api'] }, ['vault', 'api', 'web', 'docs']],
    ['a service and all that depends on it, however far', { from: ['postgres'] }, ['postgres', 'api', 'web']],
    ['a phase and all later ones', { from: ['3'] }, ['api', 'web', 'docs']],
    ['everything but', { skip: ['docs', 'web'] }, ['vault', 'postgres', 'redis', 'api']],
    ['a phase without one of it', { phases: [2], skip: ['redis'] }, ['postgres']],
    [
      'with all that it depends on, however far',
      { only: ['api'], withDependencies: true },
      ['vault', 'postgres', 'redis', 'api'],
    ],
    [
      'what is skipped is not pulled in',
      { only: ['api'], withDependencies: true, skip: ['vault'] },
      ['postgres', 'redis', 'api'],
    ],
  ];
  for (const [name, selection, expected] of CASES)
    test(name, () => assert.deepEqual(selectedServices(SIX, selection), expected));

  const REFUSED: [name: string, selection: Selection, message: RegExp][] = [
    ['an unknown service, with the nearest', { only: ['postgre'] }, /no service "postgre", did you mean "postgres"/],
    ['an unknown one to skip', { skip: ['nothing-like-it'] }, /no service "nothing-like-it"\./],
    ['an unknown start', { from: ['weeb'] }, /no service "weeb", did you mean "web"/],
    ['a phase that there is not', { phases: [9] }, /no phase 9: phases are 1 to 4/],
    ['a start in a phase that there is not', { from: ['0'] }, /no phase 0/],
    ['nothing left', { only: ['web'], skip: ['web'] }, /Nothing is left to deploy: only web; without web/],
  ];
  for (const [name, selection, message] of REFUSED) {
    test(`refused: ${name}`, () =>
      assert.throws(
        () => selectedServices(SIX, selection),
        (error) => error instanceof SelectionError && message.test(error.message),
      ));
  }

  test('in words', () => {
    assert.equal(
      describeSelection({ only: ['api'], from: ['3', 'redis'], skip: ['web'], withDependencies: true }),
      'only api; from phase 3 on; redis and all that comes after it; with all they depend on; without web',
    );
  });
});

describe('a plan of selected services', () => {
  const select = (selection: Selection, observed: ObservedSample, digests = wantedDigests(catalog)): OperationPlan =>
    selectPlan(buildPlan({ catalog, environment, digests, observed }), catalog, selection, observed);
  const actions = (plan: OperationPlan): Record<string, string> =>
    Object.fromEntries(plan.services.map(({ name, action }) => [name, action]));
  /** One that something depends on. */
  const dependent = catalog.services.find(({ dependsOn }) => dependsOn.length > 0)!;
  const dependency = catalog.services.find(({ name }) => name === dependent.dependsOn[0])!;

  test('leaves the others alone, and says why', () => {
    const observed = asWanted(catalog);
    observed.releases.delete(`${dependent.namespace}/${dependent.name}`);
    const plan = select({ only: [dependent.name] }, observed);
    assert.equal(actions(plan)[dependent.name], 'install');
    for (const service of plan.services) {
      if (service.name === dependent.name) continue;
      assert.deepEqual(
        [service.action, service.reason, ...new Set(service.steps.map(({ action }) => action))],
        ['excluded', 'not selected', 'excluded'],
      );
    }
    assert.deepEqual(plan.notes, [`Selected: only ${dependent.name}`]);
  });

  test('has a digest of its own, which what is not selected does not change', () => {
    const observed = asWanted(catalog);
    const whole = buildPlan({ catalog, environment, digests: wantedDigests(catalog), observed });
    const part = select({ only: [dependent.name] }, observed);
    assert.notEqual(part.digest, whole.digest);
    const found = observed.releases.get(`${dependency.namespace}/${dependency.name}`)!;
    observed.releases.set(`${dependency.namespace}/${dependency.name}`, { ...found, revision: 99 });
    assert.equal(select({ only: [dependent.name] }, observed).digest, part.digest);
  });

  test('a Job that has completed is run again when it is asked for in words, and only then', () => {
    const observed = asWanted(catalog);
    const plan = select({ rerun: ['migrate'] }, observed);
    const touched = plan.services.flatMap(({ steps }) => steps).filter(({ action }) => action !== 'unchanged');
    assert.deepEqual(
      touched.map(({ name, action, rerun, reason }) => [name, action, rerun, reason]),
      [['migrate', 'retry', true, 'its Job is run again, as somebody has asked for']],
    );
    assert.notEqual(plan.digest, select({}, observed).digest);
    assert.match(plan.notes?.join() ?? '', /Jobs run again: migrate/);
    assert.throws(() => select({ rerun: ['api'] }, observed), /There is no Job "api". There are: .*migrate/);
    const owner = plan.services.find(({ steps }) => steps.some(({ name }) => name === 'migrate'))!.name;
    assert.throws(() => select({ rerun: ['migrate'], skip: [owner] }, observed), /which is not among what is selected/);
  });

  test('touches no prerequisites where nothing is to be done', () => {
    const observed = asWanted(catalog);
    observed.namespaces.clear();
    assert.equal(select({ only: [dependency.name] }, observed).prerequisites, false);
  });

  const broken: [
    name: string,
    given: (observed: ObservedSample, digests: Map<string, string>) => void,
    missing: boolean,
  ][] = [
    [
      'is not there',
      (observed) => {
        observed.releases.delete(`${dependency.namespace}/${dependency.name}`);
      },
      true,
    ],
    [
      'is not healthy',
      (observed) => {
        observed.health.set(`${dependency.namespace}/${dependency.name}`, {
          healthy: false,
          reason: '0/1 pods ready',
          jobFailed: false,
        });
      },
      true,
    ],
    [
      'runs healthy in an older version',
      (_, digests) => {
        digests.set(dependency.name, 'digest-new');
      },
      false,
    ],
    [
      'is to be upgraded and not healthy',
      (observed, digests) => {
        digests.set(dependency.name, 'digest-new');
        observed.health.set(`${dependency.namespace}/${dependency.name}`, {
          healthy: false,
          reason: '0/1',
          jobFailed: false,
        });
      },
      true,
    ],
  ];
  for (const [name, given, missing] of broken) {
    test(`what it depends on ${name}: ${missing ? 'refused' : 'settled'}`, () => {
      const observed = asWanted(catalog);
      const digests = wantedDigests(catalog);
      observed.releases.delete(`${dependent.namespace}/${dependent.name}`);
      given(observed, digests);
      const run = (): OperationPlan => select({ only: [dependent.name] }, observed, digests);
      if (!missing) assert.equal(actions(run())[dependency.name], 'excluded');
      else
        assert.throws(
          run,
          (error) =>
            error instanceof DependencyMissingError &&
            error.message.includes(`${dependency.name} (`) &&
            error.message.includes(`needed by ${dependent.name}`) &&
            error.message.includes('--with-dependencies') &&
            error.message.includes(`--only ${dependency.name}`),
        );
    });
  }

  test('what is skipped and needed is refused, and told so', () => {
    assert.throws(
      () => select({ skip: [dependency.name] }, nothingThere()),
      (error) =>
        error instanceof DependencyMissingError &&
        error.message.includes(`do not skip ${dependency.name}`) &&
        !error.message.includes('--with-dependencies'),
    );
  });

  test('with dependencies nothing is missing', () => {
    const plan = select({ only: [dependent.name], withDependencies: true }, nothingThere());
    assert.equal(actions(plan)[dependency.name], 'install');
    assert.equal(plan.prerequisites, true);
  });
});
