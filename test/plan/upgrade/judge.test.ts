/** Which versions of Kubernetes' APIs go away when, and what is said of it before an upgrade. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readApiLifecycles } from '../../../src/plan/upgrade/apis.ts';
import { apiFindings, findingText, kubernetesVersion, stepProblems } from '../../../src/plan/upgrade/judge.ts';
import { type UpgradeFacts, upgradeLines, upgradeReport } from '../../../src/plan/upgrade/report.ts';

const { apis, source } = await readApiLifecycles();
const BUDGET = { apiVersion: 'policy/v1beta1', kind: 'PodDisruptionBudget', object: 'data/database' };

describe('versions of APIs', () => {
  test("are Kubernetes' own, from its source and from its migration guide", () => {
    assert.match(source, /api@v0\.\d+\.\d+, and Kubernetes' Deprecated API Migration Guide/);
    for (const [apiVersion, kind, removed, use] of [
      ['extensions/v1beta1', 'Deployment', 16, 'apps/v1'],
      ['extensions/v1beta1', 'Ingress', 22, 'networking.k8s.io/v1'],
      ['apiextensions.k8s.io/v1beta1', 'CustomResourceDefinition', 22, 'apiextensions.k8s.io/v1'],
      ['batch/v1beta1', 'CronJob', 25, 'batch/v1'],
      ['policy/v1beta1', 'PodSecurityPolicy', 25, undefined],
      ['autoscaling/v2beta2', 'HorizontalPodAutoscaler', 26, 'autoscaling/v2'],
      ['flowcontrol.apiserver.k8s.io/v1beta3', 'FlowSchema', 32, 'flowcontrol.apiserver.k8s.io/v1'],
      ['storage.k8s.io/v1beta1', 'VolumeAttributesClass', 37, 'storage.k8s.io/v1'],
    ] as const) {
      const found = apis.find((one) => one.apiVersion === apiVersion && one.kind === kind);
      assert.deepEqual([found?.removed, found?.use], [removed, use], `${apiVersion} ${kind}`);
    }
    assert.equal(new Set(apis.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).size, apis.length);
  });

  for (const [minor, text] of [
    [20, undefined],
    [21, 'policy/v1beta1 PodDisruptionBudget data/database: deprecated since 1.21, removed in 1.25, use policy/v1'],
    [24, 'policy/v1beta1 PodDisruptionBudget data/database: deprecated since 1.21, removed in 1.25, use policy/v1'],
    [25, 'policy/v1beta1 PodDisruptionBudget data/database: removed in 1.25, use policy/v1'],
    [36, 'policy/v1beta1 PodDisruptionBudget data/database: removed in 1.25, use policy/v1'],
  ] as const)
    test(`a budget of policy/v1beta1 under 1.${minor}`, () => {
      const [finding] = apiFindings([BUDGET, BUDGET], { major: 1, minor }, apis);
      assert.equal(finding === undefined ? undefined : findingText(finding), text);
    });

  test('what stays, and what others have defined, is no finding; each object is told once', () => {
    const used = [
      { ...BUDGET, apiVersion: 'policy/v1' },
      { apiVersion: 'postgresql.cnpg.io/v1beta1', kind: 'Cluster', object: 'data/x' },
      BUDGET,
      BUDGET,
    ];
    assert.equal(apiFindings(used, { major: 1, minor: 36 }, apis).length, 1);
  });
});

describe('a version of Kubernetes', () => {
  for (const [text, minor] of [
    ['1.36', 36],
    ['v1.36', 36],
    ['1.36.2', 36],
    ['v1.35.1-gke.100', 35],
    ['v1.30.4+k3s1', 30],
    ['1.27+', 27],
    ['36', undefined],
    ['latest', undefined],
    ['1.36x', undefined],
  ] as const)
    test(`${text} is ${minor === undefined ? 'none' : `1.${minor}`}`, () => {
      assert.equal(kubernetesVersion(text)?.minor, minor);
    });

  for (const [current, target, kubelets, problems] of [
    [35, 36, ['v1.35.0', 'v1.33.4'], []],
    [35, 36, ['v1.32.9'], [/node n0 has kubelet v1\.32\.9: it may be at most 3 minor versions older/]],
    [33, 36, [], [/one minor version at a time: 1\.34, 1\.35, 1\.36/]],
    [36, 35, [], [/is at 1\.36 already/]],
    [36, 36, ['unreadable'], []],
  ] as const)
    test(`from 1.${current} to 1.${target} with kubelets ${kubelets.join(', ')}`, () => {
      const found = stepProblems(
        { major: 1, minor: current },
        { major: 1, minor: target },
        kubelets.map((version, index) => ({ node: `n${index}`, version })),
      );
      assert.equal(found.length, problems.length);
      problems.forEach((pattern, index) => {
        assert.match(found[index] ?? '', pattern);
      });
    });
});

describe('the report', () => {
  const record = { release: 'data/database', revision: 3, newest: true, versions: [2], used: [BUDGET] };
  const facts = { rendered: new Map(), charts: [], notes: [] };
  const survey = { version: 'v1.24.1', records: [], written: [], kubelets: [], notes: [] };
  const target = { major: 1, minor: 25 };

  test('nothing found', () => {
    const report = upgradeReport(target, facts, apis);
    assert.equal(report.ready, true);
    assert.deepEqual(upgradeLines(report), [
      'Kubernetes 1.25: what the charts render; the cluster was not looked at.',
      '',
      'Nothing is in the way.',
    ]);
  });

  for (const [what, more, pattern] of [
    ['what a chart renders', { rendered: new Map([['database', [BUDGET]]]) }, /database: policy\/v1beta1/],
    [
      'a chart that refuses it',
      { charts: [{ release: 'old', message: 'chart requires kubeVersion: <1.25' }] },
      /old: chart requires/,
    ],
    ['what runs', { survey: { ...survey, records: [record] } }, /data\/database, revision 3: policy\/v1beta1/],
    [
      'what a rollback would apply',
      { survey: { ...survey, records: [{ ...record, newest: false, versions: [1, 2] }] } },
      /version 1, 2, data\/database: policy\/v1beta1/,
    ],
    [
      'who writes',
      { survey: { ...survey, written: [{ ...BUDGET, manager: 'their-operator' }] } },
      /their-operator: policy\/v1beta1/,
    ],
    ['an old node', { survey: { ...survey, kubelets: [{ node: 'n', version: 'v1.20.1' }] } }, /node n has kubelet/],
  ] as const)
    test(`${what} is in the way`, () => {
      const report = upgradeReport(target, structuredClone({ ...facts, ...more }) as UpgradeFacts, apis);
      assert.equal(report.ready, false);
      assert.match(upgradeLines(report).join('\n'), pattern);
    });

  test('what no version needs any more, and what is only deprecated, is not', () => {
    const old = { ...record, newest: false, versions: [] };
    assert.equal(upgradeReport(target, { ...facts, survey: { ...survey, records: [old] } }, apis).ready, true);
    const warned = upgradeReport(
      { major: 1, minor: 24 },
      { ...facts, rendered: new Map([['database', [BUDGET]]]) },
      apis,
    );
    assert.equal(warned.ready, true);
    assert.match(upgradeLines(warned).join('\n'), /deprecated since 1\.21[^]*what is deprecated goes away later/);
  });
});
