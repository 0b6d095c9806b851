/** A plan is held against rules about objects with what Helm renders and the API server has; no value travels. */
import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Kind } from '../../../src/clients/kubernetes/index.ts';
import { planFor } from '../../../src/effects/plan/deploy.ts';
import { policySchema } from '../../../src/environment/fields/policy.ts';
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

test('rules about objects see what is rendered and what is there', () =>
  withFakeClients(async ({ clients, cluster, folder }) => {
    const helm = join(folder, 'helm-stand-in');
    // Only the application has objects.
    await writeFile(helm, `#!/bin/sh\ncat >/dev/null\n[ "$2" = api ] || exit 0\ncat <<'EOF'\n${MANIFEST}EOF\n`);
    await chmod(helm, 0o755);
    clients.connections.helm = helm;
    clients.config = { ...clients.config, stateRoot: folder };
    const kind = (group: string, name: string, plural: string): Kind => ({
      ...{ group, version: 'v1', kind: name, plural, namespaced: true, verbs: [] },
    });
    clients.kubernetes.kinds = () =>
      Promise.resolve({
        kinds: [kind('apps', 'Deployment', 'deployments'), kind('', 'Secret', 'secrets')],
        silent: [],
      });
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

    // Nobody renders anything where no rule asks for it.
    await writeFile(helm, '#!/bin/sh\nexit 1\n');
    assert.deepEqual(await judged([{ name: 'few', rule: 'plan.services.size() < 99' }]), []);
  }));
