/** The rules of docs/look-up/policy.md, read from there: kept by what they allow, broken by what they are for. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import type { OperationPlan, PlannedAction } from '../../../src/contract/operations/plan.ts';
import { policySchema } from '../../../src/environment/fields/policy.ts';
import type { FieldChange, ObjectAction, ObjectChange } from '../../../src/plan/diff/types.ts';
import { factsOf } from '../../../src/plan/policy/facts.ts';
import { verdictsOf } from '../../../src/plan/policy/verdicts.ts';
import { verdictLines } from '../../../src/plan/policy/words.ts';
import { planOf } from '../../support/plans.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/look-up/policy.md'), 'utf8');
const documented = parse(/```yaml\n([^]*?)```/.exec(PAGE)?.[1] ?? '') as {
  policy: unknown;
  images: { licences: Record<string, string> };
};
const rules = policySchema.parse(documented.policy);
const FRIDAY = new Date('2026-12-04T10:00:00Z');
const THURSDAY = new Date('2026-12-03T10:00:00Z');
const DIGEST = `sha256:${'a'.repeat(64)}`;

interface World {
  services?: Record<string, PlannedAction>;
  image?: { repository: string; tag?: string };
  objects?: ObjectChange[];
  now?: Date;
}

function broken({ services = { web: 'upgrade' }, image, objects = [], now = THURSDAY }: World): string[] {
  const plan: OperationPlan = planOf(
    Object.fromEntries(Object.entries(services).map(([name, action]) => [name, { phase: 2, action }])),
  );
  const step = { namespace: 'apps', kind: 'release', action: 'upgrade', reason: '', digest: '' } as const;
  const facts = factsOf(plan, {
    stateful: new Set(['database']),
    values: new Map(image === undefined ? [] : [['web', { image }]]),
    licences: documented.images.licences,
    changes: [{ service: 'web', release: { ...step, name: 'web', objects } }],
  });
  return verdictsOf(rules, 'deploy', facts, now).flatMap(verdictLines);
}

const object = (action: ObjectAction, kind: string, leaves: FieldChange[] = []): ObjectChange => ({
  ...{ action, kind, namespace: 'apps', name: 'web', leaves },
  // What people are shown, a subtree in one line.
  fields: leaves.length === 0 ? [] : [{ path: 'spec', to: '{…}' }],
});
const replicas = (from: string, to: string): ObjectChange =>
  object('update', 'Deployment', [{ path: 'spec.replicas', from, to }]);
const redis = { repository: 'docker.io/library/redis', tag: `8@${DIGEST}` };
const own = { repository: 'registry.example.com/ananta/api' };

describe('the rules of the page', () => {
  const table: [what: string, world: World, lines: string[]][] = [
    ['a plan that keeps all of them', { image: { ...own, tag: `1@${DIGEST}` }, objects: [replicas('3', '2')] }, []],
    [
      'a stateful service is removed on a Friday',
      { services: { database: 'remove' }, now: FRIDAY },
      [
        'no-data-on-fridays: service database (service.action = "remove", service.stateful = true): nothing that keeps data is removed before a weekend',
      ],
    ],
    ['on a Thursday', { services: { database: 'remove' } }, []],
    ['one without data on a Friday', { services: { web: 'remove' }, now: FRIDAY }, []],
    [
      'an image by tag alone',
      { image: { ...own, tag: '1.4.2' } },
      [
        'images-by-digest: image registry.example.com/ananta/api:1.4.2 of web (image.digest = ""): pin it in images.tags',
      ],
    ],
    [
      'six services at once',
      { services: Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [name, 'upgrade' as const])) },
      ['few-at-once: plan'],
    ],
    [
      'a licence that is not among those allowed',
      { image: redis },
      [
        `licences: image docker.io/library/redis:8@${DIGEST} of web (image.licence = "RSALv2"): legal has to look at it first`,
      ],
    ],
    [
      'a licence that nobody has written down',
      { image: { ...redis, repository: 'docker.io/library/unknown' } },
      [
        `licences: image docker.io/library/unknown:8@${DIGEST} of web (image.licence = ""): legal has to look at it first`,
      ],
    ],
    [
      'a claim goes away',
      { objects: [object('delete', 'PersistentVolumeClaim'), object('delete', 'ConfigMap')] },
      [
        'claims-stay: PersistentVolumeClaim apps/web of web (object.kind = "PersistentVolumeClaim", object.action = "delete")',
      ],
    ],
    [
      'a privileged container, in an object that is made anew',
      {
        objects: [
          object('create', 'Deployment', [
            { path: 'spec.template.spec.containers[name=app].securityContext.privileged', to: 'true' },
            { path: 'spec.template.spec.containers[name=ok].securityContext.privileged', to: 'false' },
          ]),
        ],
      },
      [
        'nothing-privileged: Deployment apps/web of web (spec.template.spec.containers[name=app].securityContext.privileged: "" → "true")',
      ],
    ],
    [
      'from five replicas to two',
      { objects: [replicas('5', '2')] },
      ['replicas-by-small-steps: Deployment apps/web of web (spec.replicas: "5" → "2")'],
    ],
  ];
  for (const [what, world, lines] of table)
    test(what, () => {
      assert.deepEqual(broken(world), lines);
    });
  test('each of them is broken by one of these', () => {
    const named = new Set(table.flatMap(([, , lines]) => lines.map((line) => line.split(':')[0])));
    assert.deepEqual([...named].sort(), rules.map(({ name }) => name).sort());
  });
});
