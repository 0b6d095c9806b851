/**
 * Fields that controllers or people own, on a real API server with the real Helm, one after the other on the small
 * platform. Run by destroy.test.ts on its sandbox, which it leaves as it was.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { kubeconfigOf } from '../support/sandbox/cluster-facts.ts';
import { type Kubectl, kubectlOn } from '../support/sandbox/kubectl.ts';
import { type CliRun, failuresOf, resultOf, type Sandbox } from '../support/sandbox/sandbox.ts';

const NAMESPACE = 'apps';
/** Of the environment's file. */
export const FIELDS = [{ kind: 'Deployment', name: 'worker', path: 'spec.replicas', owner: 'queue-scaler' }];
const AUTOSCALER = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', namespace: NAMESPACE },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 3,
    maxReplicas: 5,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
  },
};

export async function fieldsTests(t: TestContext, sandbox: Sandbox): Promise<void> {
  const kubectl: Kubectl = await kubectlOn(await kubeconfigOf(sandbox), sandbox.folder);
  const patch = (what: string[], manager: string, content: unknown, ...more: string[]): Promise<string> =>
    kubectl([
      'patch',
      ...what,
      '--namespace',
      NAMESPACE,
      '--type=merge',
      `--field-manager=${manager}`,
      '--patch',
      JSON.stringify(content),
      ...more,
    ]);
  const valueOf = (what: string[], path: string): Promise<string> =>
    kubectl(['get', ...what, '--namespace', NAMESPACE, '--output', `jsonpath={${path}}`]);
  const replicas = (name: string): Promise<string> => valueOf(['deployment', name], '.spec.replicas');
  const deploy = (...args: string[]): Promise<CliRun> => sandbox.look(['deploy', '--json', ...args]);
  const notesOf = (run: CliRun): string[] => {
    const result = resultOf(run);
    assert.equal(result.outcome, 'succeeded', failuresOf(run));
    return ((result['notes'] ?? []) as string[]).filter((note) => note.startsWith('put back'));
  };

  // Vault comes up sealed from a copy of its state.
  await sandbox.deploy();

  await t.test('what controllers put there stays, and so does a restart: no finding, nothing repaired', async () => {
    await patch(['service', 'web'], 'controller', { metadata: { finalizers: ['service.k8s.aws/resources'] } });
    await patch(['serviceaccount', 'web'], 'openshift-controller-manager', {
      imagePullSecrets: [{ name: 'web-dockercfg' }],
    });
    await patch(['deployment', 'web'], 'injector', {
      spec: { template: { metadata: { annotations: { 'sidecar.example.com/status': 'injected' } } } },
    });
    await patch(['deployment', 'worker'], 'queue-scaler', { spec: { replicas: 2 } });
    await kubectl(['rollout', 'restart', 'deployment/web', '--namespace', NAMESPACE]);
    await kubectl(['label', 'service', 'web', 'team=somebody', '--namespace', NAMESPACE]);
    await patch(['service', 'api'], 'kubectl-patch', { spec: { selector: { version: 'none' } } });
    await kubectl(['rollout', 'status', 'deployment/web', '--namespace', NAMESPACE, '--timeout=120s']);

    const found = JSON.parse((await sandbox.look(['drift', '--json'])).stdout) as {
      findings: { area: string; object: string; field?: string }[];
    };
    assert.deepEqual(
      found.findings
        .filter(({ area }) => area === 'kubernetes')
        .map(({ object, field }) => `${object} ${field ?? ''}`)
        .sort(),
      ['Service apps/api spec.selector', 'Service apps/web metadata.labels.team'],
    );
    const repaired = await sandbox.look(['drift', 'run', '--repair', '--json']);
    assert.equal(repaired.code, 0, repaired.stdout + repaired.stderr);
    assert.deepEqual(
      [
        await valueOf(['service', 'web'], '.metadata.finalizers[0]'),
        await valueOf(['service', 'web'], '.metadata.labels.team'),
        await valueOf(['service', 'api'], '.spec.selector.version'),
        await valueOf(['serviceaccount', 'web'], '.imagePullSecrets[0].name'),
        await valueOf(['deployment', 'web'], '.spec.template.metadata.annotations.sidecar\\.example\\.com/status'),
        (await valueOf(
          ['deployment', 'web'],
          '.spec.template.metadata.annotations.kubectl\\.kubernetes\\.io/restartedAt',
        )) !== '',
        await replicas('worker'),
      ],
      ['service.k8s.aws/resources', '', '', 'web-dockercfg', 'injected', true, '2'],
    );
  });

  await t.test('replicas are an autoscaler’s in upgrade and rollback, and ours again when it is gone', async () => {
    await kubectl(['apply', '--filename', '-'], JSON.stringify(AUTOSCALER));
    await patch(['deployment', 'web'], 'horizontal-scaler', { spec: { replicas: 3 } }, '--subresource=scale');
    assert.deepEqual(notesOf(await deploy('--image', 'web=9.9.9')), []);
    assert.equal(await replicas('web'), '3');
    assert.match(await valueOf(['deployment', 'web'], '.spec.template.spec.containers[0].image'), /9\.9\.9$/);

    const back = await sandbox.look(['rollback', '--json', '--to', '1']);
    assert.equal(resultOf(back).outcome, 'succeeded', failuresOf(back));
    assert.equal(await replicas('web'), '3');
    assert.doesNotMatch(await valueOf(['deployment', 'web'], '.spec.template.spec.containers[0].image'), /9\.9\.9$/);

    await kubectl(['delete', 'hpa', 'web', '--namespace', NAMESPACE]);
    assert.deepEqual(notesOf(await deploy()), [
      'put back: spec.replicas of Deployment apps/web, changed by horizontal-scaler',
    ]);
    assert.equal(await replicas('web'), '1');
    assert.equal(resultOf(await deploy()).outcome, 'unchanged');
  });

  await t.test(
    'what a person has changed is put back and named; a lease is not touched; a controller stops its service',
    async () => {
      await kubectl(['scale', 'deployment', 'api', '--replicas=4', '--namespace', NAMESPACE]);
      const notes = notesOf(await deploy('--image', 'api=1.9.9', '--image', 'worker=1.9.9'));
      assert.deepEqual(notes, ['put back: spec.replicas of Deployment apps/api, changed by kubectl']);
      assert.deepEqual([await replicas('api'), await replicas('worker')], ['1', '2']);

      await patch(['deployment', 'api'], 'some-operator', { spec: { revisionHistoryLimit: 7 } });
      const stopped = await deploy('--image', 'api=2.0.0');
      assert.equal(resultOf(stopped).outcome, 'failed');
      assert.match(failuresOf(stopped), /spec\.revisionHistoryLimit of Deployment apps\/api, changed by some-operator/);
      assert.equal(await valueOf(['deployment', 'api'], '.spec.revisionHistoryLimit'), '7');
    },
  );

  // Taken away in any case: the autoscaler, the finalizer and the Deployment that the controller has stopped.
  await kubectl(['delete', 'hpa,deployment', 'web', 'api', '--namespace', NAMESPACE, '--ignore-not-found']);
  await patch(['service', 'web'], 'controller', { metadata: { finalizers: null } });
  const whole = await deploy();
  assert.equal(resultOf(whole).outcome, 'succeeded', failuresOf(whole));
}
