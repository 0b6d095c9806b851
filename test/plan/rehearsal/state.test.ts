/** What counts as the same state, and that nothing else does. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readConfig } from '../../../src/config.ts';
import { compareStates, differenceText } from '../../../src/plan/rehearsal/compare.ts';
import { mayDiffer } from '../../../src/plan/rehearsal/rules.ts';
import { type ReadState, stateOf } from '../../../src/plan/rehearsal/state.ts';

/** Ends of generated names, ids and the like of one of two runs. */
interface Run {
  end: string;
  uid: string;
  at: string;
  ip: string;
  node: string;
}
const FIRST: Run = {
  end: '7td57',
  uid: '613478e5-0000-4000-8000-000000000001',
  at: '2026-11-30T22:46:09Z',
  ip: '10.0.0.5',
  node: 'node-1',
};
const SECOND: Run = {
  end: 'vpxh4',
  uid: 'dc52517f-0000-4000-8000-000000000002',
  at: '2026-11-30T23:01:00.123Z',
  ip: '10.0.0.14',
  node: 'node-0',
};
const SECRET = 'hunter2-is-nowhere';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

type Objects = ReadState['objects'][number]['object'];

function objectsOf({ end, uid, at, ip, node }: Run): Record<string, { kind: string; object: Objects }> {
  const metadata = { uid, resourceVersion: uid, creationTimestamp: at, managedFields: [{ time: at }] };
  return {
    deployment: {
      kind: 'Deployment',
      object: {
        metadata: {
          ...metadata,
          name: 'web',
          namespace: 'apps',
          annotations: { 'deployment.kubernetes.io/revision': end },
        },
        spec: { replicas: 2, template: { spec: { containers: [{ name: 'main', image: 'web:1' }] } } },
        status: { readyReplicas: 2, conditions: [{ type: 'Available', lastTransitionTime: at }] },
      },
    },
    pod: {
      kind: 'Pod',
      object: {
        metadata: { ...metadata, name: `web-6bf7694784-${end}`, generateName: 'web-6bf7694784-', namespace: 'apps' },
        spec: { nodeName: node, volumes: [{ name: `kube-api-access-${end}` }] },
        status: { phase: 'Running', podIP: ip, startTime: at },
      },
    },
    job: {
      kind: 'Job',
      object: { metadata: { ...metadata, name: 'schema-c719c2e0', namespace: 'data' }, status: { succeeded: 1 } },
    },
    jobPod: {
      kind: 'Pod',
      object: {
        metadata: { ...metadata, name: `schema-c719c2e0-${end}`, generateName: 'schema-c719c2e0-', namespace: 'data' },
        status: { phase: 'Succeeded' },
      },
    },
    service: {
      kind: 'Service',
      object: {
        metadata: { ...metadata, name: 'web', namespace: 'apps' },
        spec: { clusterIP: ip.replace('10.0.', '10.96.'), ports: [{ port: 80, nodePort: 30080 }] },
      },
    },
    policy: {
      kind: 'NetworkPolicy',
      object: {
        metadata: { ...metadata, name: 'web', namespace: 'apps' },
        spec: { egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] },
      },
    },
    secret: {
      kind: 'Secret',
      object: {
        metadata: {
          ...metadata,
          name: 'vault-web',
          namespace: 'apps',
          annotations: { 'ananta.dev/secrets-changed': at },
        },
        type: 'Opaque',
        data: { password: base64(`${SECRET}-${end}`), user: base64('web') },
      },
    },
    version: {
      kind: 'ConfigMap',
      object: {
        metadata: { ...metadata, name: 'version-e-1', namespace: 'ananta-system' },
        data: {
          version: JSON.stringify({
            version: 1,
            at,
            runId: uid,
            workflowId: `deploy/e/${uid.slice(0, 8)}`,
            seconds: end.length + Number(ip.slice(-1)),
            services: [{ name: 'web', state: 'healthy', seconds: Number(ip.slice(-1)) }],
            releases: [{ name: 'web', digest: 'abc', revision: Number(ip.slice(-1)) }],
          }),
        },
      },
    },
    event: { kind: 'Event', object: { metadata: { ...metadata, name: `web.${end}`, namespace: 'apps' }, reason: end } },
    record: {
      kind: 'Secret',
      object: {
        metadata: { ...metadata, name: `sh.helm.release.v1.web.v${ip.slice(-1)}` },
        type: 'helm.sh/release.v1',
      },
    },
  };
}

function readOf(run: Run): ReadState & { byName: ReturnType<typeof objectsOf> } {
  const { uid, at, ip } = run;
  const byName = objectsOf(run);
  const version = Number(ip.slice(-1));
  const release = {
    name: 'web',
    namespace: 'apps',
    version,
    info: { status: 'deployed', last_deployed: at, description: 'Install complete' },
    config: { replicas: 2 },
    manifest: 'kind: Deployment',
    chart: { metadata: { name: 'service', version: '1.0.0' } },
    labels: {
      status: 'deployed',
      'ananta-run': uid,
      'ananta-digest': 'abc',
      'ananta-proven': String(version),
      'ananta-proof': uid,
    },
  };
  const failed = { ...release, version: version - 1, info: { status: 'failed' }, labels: { status: 'superseded' } };
  return {
    byName,
    objects: Object.values(byName).map((object) => ({ group: '', ...object })),
    releases: run === SECOND ? [failed, release] : [release],
    vault: {
      mounts: new Map([['secret/', { type: 'kv', accessor: `kv_${uid.slice(0, 8)}`, uuid: uid }]]),
      auths: new Map([['kubernetes/', { type: 'kubernetes', accessor: `auth_kubernetes_${uid.slice(0, 8)}` }]]),
      kvConfig: { max_versions: 10 },
      loginConfig: { kubernetes_ca_cert: `-----BEGIN CERTIFICATE-----\n${base64(uid)}\n-----END CERTIFICATE-----` },
      policies: new Map([
        ['own', `path "secret/data/{{identity.entity.aliases.auth_kubernetes_${uid.slice(0, 8)}.name}}" {}`],
      ]),
      roles: new Map([['web', { token_policies: ['own'] }]]),
      paths: [
        {
          path: 'apps/web',
          keys: { password: `${SECRET}-${run.end}`, user: 'web' },
          fixed: { user: 'web' },
          newest: 1,
        },
      ],
      receipt: { configured: 'abc', seeded: 'def', fingerprintKey: uid, provedSince: at },
    },
  };
}

const expected = stateOf(readOf(FIRST));
const lines = (change: (read: ReturnType<typeof readOf>) => Partial<ReadState>): string[] => {
  const read = readOf(SECOND);
  return compareStates(expected, stateOf({ ...read, ...change(read) })).map(differenceText);
};
/** @param path dots between keys; undefined takes the field out */
const withObject = (name: keyof ReturnType<typeof objectsOf>, path: string, value: unknown): string[] =>
  lines(({ byName }) => {
    const found = byName[name];
    if (found === undefined) throw new Error(name);
    const object = structuredClone(found.object);
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let at: Record<string, unknown> = object;
    for (const key of keys) at = at[key] as Record<string, unknown>;
    if (value === undefined) Reflect.deleteProperty(at, last);
    else at[last] = value;
    return {
      objects: Object.values({ ...byName, [name]: { ...found, object } }).map((each) => ({ group: '', ...each })),
    };
  });
const withRelease = (change: Record<string, unknown>): string[] =>
  lines(({ releases }) => ({
    releases: releases.map((release, index) => (index === releases.length - 1 ? { ...release, ...change } : release)),
  }));
const withVault = (change: Partial<ReadState['vault']>): string[] =>
  lines(({ vault }) => ({ vault: { ...vault, ...change } }));

describe('two runs', () => {
  test('have ended in the same state where ids, times, addresses, nodes, made-up names and values alone differ', () => {
    assert.deepEqual(
      lines(() => ({})),
      [],
    );
    assert.deepEqual(
      Object.keys(expected).filter((subject) => !subject.startsWith('Vault ')),
      [
        'ConfigMap ananta-system/version-e-1',
        'Deployment apps/web',
        'Job data/schema-c719c2e0',
        'NetworkPolicy apps/web',
        'Pod apps/web-6bf7694784-*',
        'Pod data/schema-c719c2e0-*',
        'Secret apps/vault-web',
        'Service apps/web',
        'Release apps/web',
      ],
    );
  });

  test('are compared without a secret', () => {
    const text = JSON.stringify(expected);
    assert.ok(!text.includes(SECRET) && !text.includes(base64(SECRET).slice(0, 16)));
  });

  const differing: [what: string, found: () => string[], said: RegExp][] = [
    [
      'a count',
      () => withObject('deployment', 'spec.replicas', 1),
      /Deployment apps\/web: spec.replicas is 1, undisturbed it is 2/,
    ],
    [
      'an image',
      () => withObject('deployment', 'spec.template.spec.containers.0.image', 'web:2'),
      /spec.template.spec.containers.0.image is "web:2"/,
    ],
    ['a pod that is not ready', () => withObject('pod', 'status.phase', 'Pending'), /status.phase/],
    [
      'an object that is going',
      () => withObject('service', 'metadata.deletionTimestamp', FIRST.at),
      /Service apps\/web: metadata.deletionTimestamp is one too many/,
    ],
    ['a finalizer', () => withObject('deployment', 'metadata.finalizers', ['x']), /metadata.finalizers/],
    ['a port', () => withObject('service', 'spec.ports.0.nodePort', 30081), /nodePort is 30081/],
    ['a headless service', () => withObject('service', 'spec.clusterIP', 'None'), /clusterIP is "None"/],
    [
      'a range of a network policy',
      () => withObject('policy', 'spec.egress.0.to.0.ipBlock.cidr', '10.0.0.0/16'),
      /cidr/,
    ],
    [
      'a key of a Secret',
      () => withObject('secret', 'data.user', undefined),
      /Secret apps\/vault-web: data.user is missing/,
    ],
    [
      'the length of a value',
      () => withObject('secret', 'data.password', base64('short')),
      /data.password is "5 bytes"/,
    ],
    ['a Job that failed', () => withObject('job', 'status', { failed: 1 }), /Job data\/schema-c719c2e0: status/],
    [
      'a Job whose pod was made twice',
      () =>
        lines(({ objects, byName }) => ({
          objects: [...objects, { group: '', ...(byName['jobPod'] as { kind: string; object: Objects }) }],
        })),
      /Pod data\/schema-c719c2e0-\* \(2\) is one too many/,
    ],
    [
      'an object that is gone',
      () => lines(({ objects }) => ({ objects: objects.filter(({ kind }) => kind !== 'NetworkPolicy') })),
      /NetworkPolicy apps\/web is missing/,
    ],
    [
      'a recorded version',
      () => withObject('version', 'data.version', JSON.stringify({ releases: [{ digest: 'other' }] })),
      /data.version.releases.0.digest is "other"/,
    ],
    [
      'the status of a release',
      () => withRelease({ info: { status: 'failed' } }),
      /Release apps\/web: info.status is "failed"/,
    ],
    ['values of a release', () => withRelease({ config: { replicas: 3 } }), /config.replicas/],
    ['a manifest', () => withRelease({ manifest: 'kind: StatefulSet' }), /manifest/],
    [
      'a chart',
      () => withRelease({ chart: { metadata: { name: 'service', version: '1.0.1' } } }),
      /Release apps\/web: chart/,
    ],
    [
      'a release that was never found healthy',
      () =>
        withRelease({
          labels: { status: 'deployed', 'ananta-digest': 'abc', 'ananta-proven': '3', 'ananta-proof': 'x' },
        }),
      /receipt.healthy is false/,
    ],
    [
      'a release without proof',
      () => withRelease({ labels: { status: 'deployed', 'ananta-digest': 'abc', 'ananta-proven': '4' } }),
      /receipt.proof is "missing"/,
    ],
    ['a pending record', () => withRelease({ info: { status: 'pending-upgrade' } }), /pending-upgrade/],
    [
      'a secret that was written twice',
      () => lines(({ vault }) => ({ vault: { ...vault, paths: vault.paths.map((path) => ({ ...path, newest: 2 })) } })),
      /Vault path apps\/web: written is 2/,
    ],
    [
      'a value that the catalog says',
      () =>
        lines(({ vault }) => ({
          vault: { ...vault, paths: vault.paths.map((path) => ({ ...path, keys: { ...path.keys, user: 'bew' } })) },
        })),
      /keys.user is "another value"/,
    ],
    ['a path', () => withVault({ paths: [] }), /Vault path apps\/web is missing/],
    ['a policy', () => withVault({ policies: new Map([['own', 'path "*" {}']]) }), /Vault policy own/],
    ['a role', () => withVault({ roles: new Map() }), /Vault role web is missing/],
    [
      'a login method',
      () => withVault({ auths: new Map([['userpass/', {}]]) }),
      /Vault auth method userpass\/ is one too many/,
    ],
    [
      'what Vault was set up with',
      () => withVault({ receipt: { configured: 'other' } }),
      /Vault receipt: receipt.configured is "other"/,
    ],
  ];
  for (const [what, found, said] of differing)
    test(`differ by ${what}`, () => {
      assert.match(found().join('\n'), said);
    });

  test('may differ in what the documentation lists, and in nothing else', () => {
    const page = readFileSync(join(readConfig().repoRoot, 'docs', 'look-up', 'rehearsal.md'), 'utf8');
    const rows = mayDiffer().map(({ what, why }) => `| ${what.replaceAll('*', '\\*')} | ${why} |`);
    const written = page.split('\n').filter((line) => /^\| .* \| .* \|$/.test(line));
    assert.deepEqual(
      rows.filter((row) => !written.includes(row)),
      [],
    );
  });
});
