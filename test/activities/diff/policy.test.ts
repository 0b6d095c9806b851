/** A plan is held against rules about objects with what Helm renders and the API server has; no value travels. */
import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Kind } from '../../../src/clients/kubernetes/index.ts';
import { planFor } from '../../../src/effects/plan/deploy.ts';
import { policySchema } from '../../../src/environment/fields/policy.ts';
import type { WantedChart } from '../../../src/plan/charts/wanted.ts';
import { type PlatformInputs, platformInputs } from '../../../src/plan/inputs/platform-inputs.ts';
import { verdictLines } from '../../../src/plan/policy/words.ts';
import { withFakeClients } from '../../support/fakes/clients.ts';

const MANIFEST = `apiVersion: apps/v1
kind: Deployment
metadata: {name: one, namespace: apps}
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: app
          image: registry.example.com/one:2
          env: [{name: API_TOKEN, value: not-to-be-seen}]
---
apiVersion: v1
kind: Secret
metadata: {name: one, namespace: apps}
stringData: {key: nor-this}
`;
const DEPLOYMENT = '/apis/apps/v1/namespaces/apps/deployments/one';

const KINDS: Kind[] = [
  ['apps', 'Deployment', 'deployments'],
  ['', 'Secret', 'secrets'],
].map(([group = '', kind = '', plural = '']) => ({
  ...{ group, version: 'v1', kind, plural, namespaced: true, verbs: [] },
}));

test('rules about objects see what is rendered and what is there', () =>
  withFakeClients(async ({ clients, cluster, folder }) => {
    const helm = join(folder, 'helm-stand-in');
    // Only the application has objects.
    await writeFile(helm, `#!/bin/sh\ncat >/dev/null\n[ "$2" = api ] || exit 0\ncat <<'EOF'\n${MANIFEST}EOF\n`);
    await chmod(helm, 0o755);
    clients.connections.helm = helm;
    clients.config = { ...clients.config, stateRoot: folder };
    clients.kubernetes.kinds = () => Promise.resolve({ kinds: KINDS, silent: [] });
    cluster.objects.set(DEPLOYMENT, {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
      metadata: { name: 'one', namespace: 'apps', uid: 'u', resourceVersion: '1' },
      spec: { replicas: 5 },
    });
    const rules = [
      { name: 'replicas', for: 'field', rule: 'field.path != "spec.replicas" || field.after >= field.before' },
      { name: 'everything', for: 'field', rule: 'object.kind == "Deployment" && field.path.contains("image")' },
      { name: 'secrets', for: 'object', rule: 'object.kind != "Secret"', operations: ['deploy'] },
    ];
    const judged = async (policy: unknown): Promise<string[]> => {
      const environment = { ...clients.environment, policy: policySchema.parse(policy) };
      const plan = await planFor(clients, environment, {}, new AbortController().signal, { judged: true });
      return (plan.verdicts ?? []).flatMap(verdictLines);
    };
    const lines = await judged(rules);
    assert.ok(lines.includes('replicas: Deployment apps/one of api (spec.replicas: "5" → "2")'), lines.join('\n'));
    assert.ok(lines.includes('secrets: Secret apps/one of api (object.kind = "Secret")'), lines.join('\n'));
    assert.match(lines.join('\n'), /everything: Secret apps\/one of api \(stringData\.key: "" → "/);
    assert.match(lines.join('\n'), /env\[name=API_TOKEN\]\.value: "" → "/);
    assert.doesNotMatch(lines.join('\n'), /not-to-be-seen|nor-this/);

    // Charts are not rendered when no rule asks for objects.
    await writeFile(helm, '#!/bin/sh\nexit 1\n');
    assert.deepEqual(await judged([{ name: 'few', rule: 'plan.services.size() < 99' }]), []);
  }));

test("a publisher's chart that is not here yet is fetched first", () =>
  withFakeClients(async ({ clients, folder }) => {
    const [helm, chartPath] = [join(folder, 'helm-stand-in'), join(folder, 'chart.tgz')];
    await writeFile(helm, `#!/bin/sh\ncat >/dev/null\n[ "$2" = api ] || exit 0\ncat <<'EOF'\n${MANIFEST}EOF\n`);
    await chmod(helm, 0o755);
    clients.connections.helm = helm;
    clients.config = { ...clients.config, stateRoot: folder };
    clients.kubernetes.kinds = () => Promise.resolve({ kinds: KINDS, silent: [] });
    const upstream = { name: 'api', version: '1.0.0' } as WantedChart;
    const inputs: PlatformInputs = async (tags) => {
      const all = await platformInputs(clients.catalog, clients.environment, clients.config)(tags);
      return new Map([...all, ['api', { ...all.get('api')!, upstream, chartPath }]]);
    };
    const fetched: WantedChart[] = [];
    clients.charts.ensure = async (chart) => {
      fetched.push(chart);
      await writeFile(chartPath, '');
      return { path: chartPath, fetched: true };
    };
    const policy = policySchema.parse([{ name: 'secrets', for: 'object', rule: 'object.kind != "Secret"' }]);
    const { signal } = new AbortController();
    const plan = await planFor(clients, { ...clients.environment, policy }, {}, signal, { inputs, judged: true });
    assert.deepEqual(fetched, [upstream]);
    assert.deepEqual((plan.verdicts ?? []).flatMap(verdictLines), [
      'secrets: Secret apps/one of api (object.kind = "Secret")',
    ]);
  }));
