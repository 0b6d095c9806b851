/** Whose a release is, by the labels of its revisions; whose an object is, by Helm's marks. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ForeignReleaseError, foreignText, labelsSay } from '../../../src/plan/ownership/foreign.ts';
import { foreignOwner } from '../../../src/plan/ownership/foreign-object.ts';
import type { ObservedRelease, ReleaseStatus } from '../../../src/plan/observed.ts';

const revision = (
  number: number,
  labels: Record<string, string>,
  status: ReleaseStatus = 'deployed',
): ObservedRelease => ({ revision: number, status, labels });
const ours = (run: string, digest = 'd', more: Record<string, string> = {}): Record<string, string> => ({
  'ananta-environment': 'staging',
  'ananta-service': 'api',
  'ananta-run': run,
  'ananta-digest': digest,
  ...more,
});

describe('what labels say of the newest revision', () => {
  const cases: [string, ObservedRelease[], 'ours' | 'copied' | 'foreign'][] = [
    ['a deployment wrote it', [revision(1, ours('r1'))], 'ours'],
    ['two deployments wrote it', [revision(1, ours('r1'), 'superseded'), revision(2, ours('r2'))], 'ours'],
    ['no labels at all', [revision(1, {})], 'foreign'],
    ['labels of other people', [revision(1, { team: 'web' })], 'foreign'],
    ['another environment', [revision(1, ours('r1', 'd', { 'ananta-environment': 'prod' }))], 'foreign'],
    ['another service', [revision(1, ours('r1', 'd', { 'ananta-service': 'web' }))], 'foreign'],
    ['labels that Helm has handed on', [revision(1, ours('r1'), 'superseded'), revision(2, ours('r1'))], 'copied'],
    ['a Helm that hands on none', [revision(1, ours('r1'), 'superseded'), revision(2, {})], 'copied'],
    [
      'installed after ours was uninstalled, history kept',
      [revision(1, ours('r1'), 'uninstalled'), revision(2, {})],
      'foreign',
    ],
    [
      'another environment on top of ours',
      [revision(1, ours('r1'), 'superseded'), revision(2, ours('r2', 'd', { 'ananta-environment': 'prod' }))],
      'foreign',
    ],
    [
      'adopted by a person',
      [revision(3, { 'ananta-environment': 'staging', 'ananta-service': 'api', 'ananta-adopted': '3' })],
      'ours',
    ],
    [
      'adopted once, and upgraded by somebody since',
      [
        revision(3, ours('r', 'd', { 'ananta-adopted': '3' }), 'superseded'),
        revision(4, ours('r', 'd', { 'ananta-adopted': '3' })),
      ],
      'copied',
    ],
  ];
  for (const [name, revisions, said] of cases)
    test(`${name}: ${said}`, () => {
      assert.equal(labelsSay(revisions, 'staging', 'api'), said);
    });
});

test('the refusal names chart, who, when, and the ways on', () => {
  const foreign = {
    namespace: 'apps',
    name: 'api',
    service: 'api',
    revision: 2,
    status: 'deployed',
    chart: 'podinfo 6.5.0',
    by: 'helm',
    at: '2026-01-02T03:04:05.000Z',
    labels: ['team=web'],
  };
  assert.equal(
    foreignText(foreign, 'staging'),
    'Release api in apps is not ours: no deployment to "staging" made it. It is of chart podinfo 6.5.0, revision 2 (deployed), written by "helm" at 2026-01-02T03:04:05.000Z, labelled team=web.',
  );
  assert.match(
    foreignText({ ...foreign, environment: 'prod' }, 'staging'),
    /a deployment to environment "prod" made it/,
  );
  assert.match(
    foreignText({ ...foreign, environment: 'staging' }, 'staging'),
    /in the place of the one that a deployment/,
  );
  const { message } = new ForeignReleaseError('staging', [foreign]);
  assert.match(message, /Nothing was touched/);
  assert.match(message, /helm uninstall api --namespace apps/);
  assert.match(message, /adopt api --env staging/);
  const ofAnother = new ForeignReleaseError('staging', [{ ...foreign, environment: 'prod' }]).message;
  assert.doesNotMatch(ofAnother, /adopt/);
});

describe('whose an object is', () => {
  const release = { name: 'api', namespace: 'apps' };
  const live = (
    annotations: Record<string, string>,
    managers: { manager: string; marks?: boolean }[],
    environment?: string,
  ): Record<string, unknown> => ({
    metadata: {
      name: 'x',
      ...(environment === undefined ? {} : { labels: { 'ananta.dev/environment': environment } }),
      annotations,
      managedFields: managers.map(({ manager, marks }) => ({
        manager,
        operation: 'Apply',
        time: '2026-01-01T00:00:00Z',
        fieldsV1: marks
          ? { 'f:metadata': { 'f:annotations': { 'f:meta.helm.sh/release-name': {} } } }
          : { 'f:data': {} },
      })),
    },
  });
  const mark = (name: string): Record<string, string> => ({
    'meta.helm.sh/release-name': name,
    'meta.helm.sh/release-namespace': 'apps',
  });
  const cases: [string, Record<string, unknown>, RegExp | undefined][] = [
    ["the release's own", live(mark('api'), [{ manager: 'helm', marks: true }]), undefined],
    ['its own, restored by a backup tool', live(mark('api'), [{ manager: 'velero', marks: true }]), undefined],
    ['its own, the marks taken off', live({}, [{ manager: 'helm' }, { manager: 'kubectl-edit' }]), undefined],
    [
      'its own, the mark written over',
      live(mark('other'), [{ manager: 'helm' }, { manager: 'kubectl-annotate', marks: true }]),
      undefined,
    ],
    [
      'of another release',
      live(mark('other'), [{ manager: 'helm', marks: true }]),
      /^it belongs to Helm release apps\/other$/,
    ],
    ['of another tool that marks', live(mark('other'), [{ manager: 'argocd', marks: true }]), /apps\/other/],
    [
      'made by hand',
      live({}, [{ manager: 'kubectl-create' }]),
      /^no Helm release has made it, "kubectl-create" has \(2026-01-01T00:00:00Z\)$/,
    ],
    ['a server without such records', live({}, []), undefined],
    [
      "with Helm's marks and another environment's name",
      live(mark('api'), [{ manager: 'helm', marks: true }], 'prod'),
      /^it carries the name of environment "prod"$/,
    ],
    [
      'with the name of the environment before',
      live(mark('api'), [{ manager: 'helm', marks: true }], 'before'),
      undefined,
    ],
    ['with our name', live(mark('api'), [{ manager: 'helm', marks: true }], 'staging'), undefined],
    [
      'made by hand with our name on it',
      live({}, [{ manager: 'kubectl-create' }], 'staging'),
      /^no Helm release has made it/,
    ],
    [
      'of another release, with our name on it',
      live(mark('other'), [{ manager: 'helm', marks: true }], 'staging'),
      /apps\/other/,
    ],
  ];
  for (const [name, object, whose] of cases)
    test(name, () => {
      if (whose === undefined) assert.equal(foreignOwner(object, release, ['staging', 'before']), undefined);
      else assert.match(foreignOwner(object, release, ['staging', 'before']) ?? '', whose);
    });
});
