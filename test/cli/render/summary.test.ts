import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exportLines, lookAroundLines, workflowUrl } from '../../../src/cli/shared/lines.ts';
import { jsonResult } from '../../../src/cli/render/json.ts';
import { summaryLines } from '../../../src/cli/render/summary.ts';
import { plainStyle } from '../../../src/cli/shared/terminal.ts';
import { ALL_GOOD, FAILURE, outcome, result } from '../sample.ts';

const OPTIONS = {
  columns: 80,
  style: plainStyle,
  simulatedNodes: 3,
  url: 'http://127.0.0.1:8233/namespaces/ananta/workflows/deploy%2Fsandbox%2F1a2b3c4d/run-1/history',
  exports: ['export KUBECONFIG=/state/cluster/kubeconfig'],
  lookAround: [['kubectl get pods -A', 'every pod and its state'] as [string, string]],
};
const text = (lines: string[]): string => `${lines.join('\n')}\n`;

const AFTER = { type: 'DependencyFailed', message: 'identity, which it depends on, did not become healthy' };

describe('summary', () => {
  test('of a success', () => {
    assert.equal(
      text(summaryLines(result('succeeded', ALL_GOOD), OPTIONS)),
      `
Deployed to sandbox in 32 s, 1.07 × the critical path of 30 s.
  5 services: 4 healthy, 1 completed
  Simulated: the pods of all 5 services, on 3 simulated nodes (KWOK), and what
  answers their health checks. Real: Temporal, the Kubernetes API with its
  controllers and scheduler, every Helm release, Vault and its secrets.

Temporal UI, this very deployment:
  http://127.0.0.1:8233/namespaces/ananta/workflows/deploy%2Fsandbox%2F1a2b3c4d/run-1/history

Look around (in this shell only; nothing of yours is changed):
  export KUBECONFIG=/state/cluster/kubeconfig
  kubectl get pods -A   # every pod and its state

Next:
  npm run ananta -- verify --env sandbox  run every health check now
  npm run ananta -- status --env sandbox  how things stand
  npm run ananta -- down --env sandbox    stop what runs here; keeps the data
`,
    );
  });

  test('of nothing to do', () => {
    const unchanged = ALL_GOOD.map(({ name }) => outcome(name, 'unchanged', 0));
    const lines = summaryLines(result('unchanged', unchanged, { seconds: 1.84 }), OPTIONS);
    assert.equal(lines[1], 'Nothing to change in sandbox: everything is as wanted and healthy (1.8 s).');
    assert.equal(lines[2], '  5 services: 5 unchanged');
  });

  test('of an adoption, and of one that gave back', () => {
    const lines = (more: object): string[] =>
      summaryLines(result('succeeded', [], { operation: 'adopt', seconds: 2, ...more }), OPTIONS);
    assert.equal(lines({})[1], 'Taken over in sandbox in 2.0 s.');
    assert.equal(jsonResult(result('succeeded', [], { operation: 'adopt', givenBack: true }))['givenBack'], true);
    assert.equal(lines({ givenBack: true })[1], 'Given back in sandbox in 2.0 s.');
    assert.match(lines({ givenBack: true }).join('\n'), /what the next deployment says of it/);
  });

  test('of a failure: each with its reason, evidence and last lines, then what was skipped, then what to do', () => {
    const services = [
      outcome('gitops', 'healthy', 11),
      outcome('vault', 'healthy', 8),
      outcome('identity', 'failed', 301, FAILURE),
      outcome('identity-init', 'skipped', 0, AFTER),
      outcome('dashboard', 'skipped', 0, AFTER),
    ];
    assert.equal(
      text(summaryLines(result('failed', services, { seconds: 310 }), OPTIONS)),
      `
The deployment to sandbox failed after 5 min 10 s.
  5 services: 2 healthy, 1 failed, 2 skipped

✘ identity (phase 4), after 5 min 1 s
  identity in identity-ns was not healthy within 300 s: pod identity-0,
  container identity: CrashLoopBackOff
  | Warning BackOff restarting failed container
  | ERROR: database "identity" does not exist
  Evidence: /state/evidence/identity.txt

Not started, because something they depend on failed (2):
  identity-init, dashboard

Temporal UI, this very deployment:
  http://127.0.0.1:8233/namespaces/ananta/workflows/deploy%2Fsandbox%2F1a2b3c4d/run-1/history

Next:
  npm run ananta -- logs helm identity --env sandbox  what Helm said
  npm run ananta -- doctor --env sandbox              is the local stack in order?
  npm run ananta -- deploy --env sandbox              try again: goes on from what is healthy
`,
    );
  });

  test('of decisions: who, when and why, in whatever outcome', () => {
    const acts = [
      {
        act: 'skip',
        by: 'ops@host',
        at: '2026-01-05T12:00:07.123Z',
        on: 'dashboard',
        reason: 'it is known to be broken, and nobody needs it today',
      },
      { act: 'resume', by: 'ops@host', at: '2026-01-05T12:00:09.000Z' },
    ];
    const decided = [
      '',
      'What people decided:',
      '  12:00:07 UTC  ops@host skipped dashboard: it is known to be broken, and',
      '                nobody needs it today',
      '  12:00:09 UTC  ops@host let it go on',
      '',
    ].join('\n');
    for (const outcome of ['succeeded', 'failed', 'cancelled'] as const)
      assert.ok(text(summaryLines(result(outcome, ALL_GOOD, { acts }), OPTIONS)).includes(`\n${decided}\n`), outcome);
  });

  test('of a failure before any service', () => {
    const lines = summaryLines(
      result('failed', [], { failure: { type: 'Unreachable', message: 'GET /api: connection refused' } }),
      OPTIONS,
    );
    assert.ok(lines.includes('  GET /api: connection refused'));
  });

  test('a real cluster is said to be real', () => {
    const { simulatedNodes: _none, url: _url, ...real } = OPTIONS;
    const lines = summaryLines(result('succeeded', ALL_GOOD), real);
    assert.ok(lines.includes('  Nothing here is simulated.'));
    assert.ok(lines.includes('Workflow: deploy/sandbox/1a2b3c4d, run run-1'));
  });
});

describe('lines for a shell', () => {
  const engine = { address: '127.0.0.1:7233', namespace: 'ananta', uiAddress: 'http://127.0.0.1:8233' };
  const kubernetes = { kubeconfig: '/state/my env/kubeconfig', inCluster: false };

  test("embedded: everything from the state folder, the user's own files are left alone", () => {
    const runtime = {
      tools: { kubectl: '/cache/kubectl/1.35.0/kubectl', helm: '/cache/helm/4.3.1/helm', etcd: '/cache/etcd/etcd' },
      vault: { address: 'http://127.0.0.1:8200' },
    };
    assert.deepEqual(exportLines({ engine, kubernetes }, runtime), [
      'export PATH=/cache/kubectl/1.35.0:/cache/helm/4.3.1:$PATH',
      "export KUBECONFIG='/state/my env/kubeconfig'",
      'export VAULT_ADDR=http://127.0.0.1:8200',
      'export TEMPORAL_ADDRESS=127.0.0.1:7233 TEMPORAL_NAMESPACE=ananta',
    ]);
  });
  test('external: the context is named, Vault is reached by port-forward', () => {
    const lines = lookAroundLines({ kubernetes: { ...kubernetes, context: 'stage' } }, undefined).map(([line]) => line);
    assert.equal(lines[0], 'kubectl --context stage get pods -A');
    assert.equal(lines[1], 'helm --kube-context stage list -A');
    assert.match(lines[2] ?? '', /port-forward svc\/vault 8200/);
  });
  test('the workflow id is one segment of the address', () => {
    assert.equal(workflowUrl(engine, { workflowId: 'deploy/sandbox/1a2b3c4d', runId: 'run-1' }), OPTIONS.url);
    assert.equal(workflowUrl({ address: 'x:7233', namespace: 'n' }, { workflowId: 'a', runId: 'b' }), undefined);
  });
});
