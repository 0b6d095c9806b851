/** Which controllers (Argo CD, Flux) keep applying what is adopted, as they record it in the cluster. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Covered,
  type SynchroniserKind,
  synchroniserLines,
  synchronisersOf,
} from '../../../src/plan/adoption/synchronisers.ts';

const COVERED: Covered[] = [
  { release: 'data/database', objects: ['StatefulSet data/database', 'Service data/database'] },
  { release: 'apps/web', objects: ['Deployment apps/web'] },
];
const AUTOMATED = { syncPolicy: { automated: { selfHeal: true } } };
const IN_DATA = { destination: { server: 'https://kubernetes.default.svc', namespace: 'data' } };
const CHART = { source: { repoURL: 'r', chart: 'postgresql', targetRevision: '14.3.3' } };
const WEB = { status: { resources: [{ group: 'apps', kind: 'Deployment', namespace: 'apps', name: 'web' }] } };

interface Sample {
  metadata?: object;
  spec?: object;
  status?: object;
}
const named = (name: string, { metadata = {}, ...rest }: Sample): object => ({
  metadata: { name, namespace: 'gitops', ...metadata },
  spec: {},
  ...rest,
});
const lines = (kind: SynchroniserKind, ...items: object[]): string[] =>
  synchroniserLines(synchronisersOf([{ kind, items }], COVERED));

describe('who applies it by itself', () => {
  for (const [what, kind, item, expected] of [
    [
      'an Application that renders the chart of a release',
      'Application',
      named('database', { spec: { ...CHART, ...IN_DATA, ...AUTOMATED } }),
      [
        'Application gitops/database applies release data/database:',
        '  argocd app set gitops/database --sync-policy none',
      ],
    ],
    [
      'one whose release is named otherwise',
      'Application',
      named('sql', {
        spec: {
          sources: [{ ref: 'values' }, { ...CHART.source, helm: { releaseName: 'database' } }],
          ...IN_DATA,
          ...AUTOMATED,
        },
      }),
      ['Application gitops/sql applies release data/database:', '  argocd app set gitops/sql --sync-policy none'],
    ],
    [
      'one whose objects are among them, whatever they come from',
      'Application',
      named('all', { spec: { source: { path: 'k8s' }, ...AUTOMATED }, ...WEB }),
      ['Application gitops/all applies Deployment apps/web:', '  argocd app set gitops/all --sync-policy none'],
    ],
    [
      'one of an ApplicationSet, which would switch it on again',
      'Application',
      named('web', {
        metadata: { ownerReferences: [{ kind: 'ApplicationSet', name: 'platform' }] },
        spec: { source: { path: 'k8s' }, ...AUTOMATED },
        ...WEB,
      }),
      [
        'Application gitops/web (of ApplicationSet gitops/platform) applies Deployment apps/web:',
        '  kubectl --namespace gitops edit applicationset platform   (add to spec.ignoreApplicationDifferences: {name: web, jsonPointers: [/spec/syncPolicy]})',
        '  argocd app set gitops/web --sync-policy none',
      ],
    ],
    [
      'a HelmRelease',
      'HelmRelease',
      named('database', { spec: { targetNamespace: 'data', releaseName: 'database' } }),
      [
        'HelmRelease gitops/database applies release data/database:',
        '  flux suspend helmrelease database --namespace gitops',
      ],
    ],
    [
      'a HelmRelease under the name that Flux makes up',
      'HelmRelease',
      named('database', { spec: { targetNamespace: 'data' } }),
      [],
    ],
    [
      'a Kustomization that has them in its inventory',
      'Kustomization',
      named('platform', {
        status: {
          inventory: { entries: [{ id: 'apps_web_apps_Deployment', v: 'v1' }, { id: 'data_database__Service' }] },
        },
      }),
      [
        'Kustomization gitops/platform applies Deployment apps/web, Service data/database:',
        '  flux suspend kustomization platform --namespace gitops',
      ],
    ],
    [
      'an Application without automated synchronisation',
      'Application',
      named('all', { spec: { source: {} }, ...WEB }),
      [],
    ],
    [
      'one whose automated synchronisation is switched off',
      'Application',
      named('all', { spec: { syncPolicy: { automated: { enabled: false } } }, ...WEB }),
      [],
    ],
    [
      'one of another cluster',
      'Application',
      named('all', { spec: { ...AUTOMATED, destination: { server: 'https://10.0.0.1:6443' } }, ...WEB }),
      [],
    ],
    [
      'one of the deployer',
      'Application',
      named('all', { metadata: { labels: { 'ananta.dev/environment': 'x' } }, spec: AUTOMATED, ...WEB }),
      [],
    ],
    [
      'one of something else',
      'Application',
      named('other', { spec: { ...CHART, ...AUTOMATED, destination: { name: 'in-cluster', namespace: 'other' } } }),
      [],
    ],
    [
      'a HelmRelease that is suspended',
      'HelmRelease',
      named('web', { spec: { releaseName: 'web', targetNamespace: 'apps', suspend: true } }),
      [],
    ],
    ['what is none', 'Application', { metadata: {} }, []],
  ] as const)
    test(what, () => {
      assert.deepEqual(lines(kind, item), expected);
    });

  test('an Application that makes another one stops first', () => {
    const root = named('root', {
      spec: { source: { path: 'apps' }, ...AUTOMATED },
      status: { resources: [{ kind: 'Application', namespace: 'gitops', name: 'web' }] },
    });
    const web = named('web', { spec: { source: { path: 'k8s' }, ...AUTOMATED }, ...WEB });
    assert.deepEqual(lines('Application', root, web), [
      'Application gitops/web (of Application gitops/root) applies Deployment apps/web:',
      '  argocd app set gitops/root --sync-policy none',
      '  argocd app set gitops/web --sync-policy none',
    ]);
  });
});
