/**
 * What a worker serves to Prometheus after an operation and a drift run: our metrics, the SDK's, and nothing unbounded.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { claimPorts } from '../../bootstrap/process/ports.ts';
import { createGuard } from '../../src/activities/retry/guard.ts';
import { countFailures } from '../../src/activities/retry/count.ts';
import { temporalScope } from '../../src/activities/scope.ts';
import { createRedactor } from '../../src/clients/redact.ts';
import { startOrAttach } from '../../src/clients/temporal/index.ts';
import { readConfig } from '../../src/config.ts';
import { type MetricName, METRICS, metricsOf } from '../../src/contract/metrics.ts';
import { DRIFT_KINDS, type DriftInput, type DriftReport } from '../../src/contract/drift.ts';
import { DeployError } from '../../src/contract/errors.ts';
import { FAILURES } from '../../src/contract/failures.ts';
import { ENGINE_NAMESPACE, taskQueueOf, WORKFLOW_TYPES } from '../../src/contract/names.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { completed } from '../../src/plan/steps/complete.ts';
import { installRuntime } from '../../src/worker/runtime.ts';
import { beginAtZero } from '../../src/worker/zeros.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { driftReport, planOf, recordingActivities } from '../support/plans.ts';
import { findProgram, type LivePrometheus, rulesFile, startPrometheus } from '../support/telemetry/live-prometheus.ts';
import { dashboardExpressions, MONITORING, readDashboard, sdkMetrics } from '../support/telemetry/monitoring.ts';
import { inGrafana, readPromql } from '../support/telemetry/promql.ts';
import { parseSamples, parseTypes, type Sample, sampled } from '../support/telemetry/prometheus.ts';

const SECRET = 'hunter2-is-in-no-metric';
/**
 * Queries that need not have data here: requests to the engine that fail, a version that came while Prometheus looked.
 */
const MAY_BE_NOTHING = ['panel Requests to the engine that fail', 'annotation'];
let engine: TestEngine;
let folder: string;
let address: string;
let text: string;
let samples: Sample[];
/** Undefined where the machine has none. */
let prometheus: LivePrometheus | undefined;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-metrics-'));
  const { metrics: port } = await claimPorts({
    file: join(folder, 'ports.json'),
    names: ['metrics'],
    inUseByUs: new Set(),
  });
  address = `127.0.0.1:${port}`;
  engine = await startTestEngine({ telemetry: { metrics: { listen: address } } });
  const environment = await loadEnvironment('sandbox', readConfig());
  const redactor = createRedactor();
  const guard = createGuard({ redactor, environment }, temporalScope, {
    onFailure: countFailures(metricsOf(Runtime.instance().metricMeter)),
  });
  let attempts = 0;
  const plan = planOf({
    database: { phase: 1 },
    web: { phase: 2, dependsOn: ['database'] },
    broken: { phase: 2, dependsOn: ['database'] },
    orphan: { phase: 3, dependsOn: ['broken'] },
    old: { phase: 1, action: 'unchanged' },
  });
  let looks = 0;
  const freeze = { windows: [{ name: 'weekend' }], allow: [], onFrozen: 'wait' as const };
  const frozenPlan = completed(planOf({ web: { phase: 1, action: 'unchanged' } }), { verb: 'deploy' }, { freeze });
  const { activities } = recordingActivities(plan, {
    applyRelease: guard(() => ({ step }) => {
      attempts += 1;
      if (attempts === 1)
        return Promise.reject(new DeployError(FAILURES.unreachable, `connect ECONNREFUSED with ${SECRET}`));
      if (step.name === 'broken') return Promise.reject(new DeployError(FAILURES.chartInvalid, SECRET));
      return Promise.resolve({ changed: true, revision: 1, seconds: 0 });
    }),
    makePlan: ({ run }) => Promise.resolve(run.clusterUid === '00000001-uid' ? plan : frozenPlan),
    // One operation waits for a second, the other is let through by an override.
    checkFreeze: ({ clusterUid }) => {
      looks += 1;
      const until = new Date(Date.now() + 1000).toISOString();
      const frozen = clusterUid === '00000003-uid' || looks === 1;
      return Promise.resolve({ frozen, windows: ['weekend'], onFrozen: 'wait' as const, waitSeconds: 3600, until });
    },
    readAttestation: () => Promise.resolve({ attested: { user: 'ann@example.com', groups: [], at: '', purpose: '' } }),
    findDrift: () =>
      Promise.resolve({
        report: reportOfOne(),
        flapping: ['Deployment a/b spec.replicas'],
        mode: 'report',
        repairDigest: 'x',
      }),
  });
  metricsOf(Runtime.instance().metricMeter).set('ananta_worker_info', 1, { build: 'x' });
  beginAtZero(Runtime.instance().metricMeter, { namespace: ENGINE_NAMESPACE, taskQueue: taskQueueOf('test') });
  await engine.withWorker(activities, async () => {
    const request = { environment: 'test', imageTags: {}, clusterUid: '00000001-uid', requestedBy: 'tester@host' };
    const run = await startOrAttach(engine.client, 'deploy', request, 'refuse');
    await assert.rejects(engine.client.workflow.getHandle(run.workflowId, run.runId).result());
    for (const more of [
      { clusterUid: '00000002-uid' },
      { clusterUid: '00000003-uid', freezeOverride: `a hotfix, ${SECRET}`, freezeAttestation: 'own' },
    ]) {
      const frozen = await startOrAttach(engine.client, 'deploy', { ...request, ...more }, 'refuse');
      await engine.client.workflow.getHandle(frozen.workflowId, frozen.runId).result();
    }
    const input: DriftInput = { environment: 'test', clusterUid: '00000001-uid', mode: 'report' };
    await engine.client.workflow.execute(WORKFLOW_TYPES.drift, {
      workflowId: 'drift-of-metrics',
      taskQueue: taskQueueOf('test'),
      args: [input],
    });
  });
  text = await (await fetch(`http://${address}/metrics`)).text();
  samples = parseSamples(text);
});
after(async () => {
  await prometheus?.close();
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

function reportOfOne(): DriftReport {
  const finding = {
    key: 'Deployment a/b spec.replicas',
    kind: 'changed' as const,
    area: 'kubernetes' as const,
    object: 'Deployment a/b',
    field: 'spec.replicas',
    was: '1',
    is: SECRET,
    valueDigest: 'x',
    repair: 'field' as const,
  };
  return driftReport([finding]);
}

describe('the metrics of a worker', () => {
  test('say how operations and services went, and what they waited for', () => {
    const failed = { operation: 'deploy', outcome: 'failed', environment: 'test' };
    assert.equal(sampled(samples, 'ananta_operations_total', failed), 1);
    assert.equal(sampled(samples, 'ananta_operation_duration_seconds_count', failed), 1);
    assert.ok(sampled(samples, 'ananta_operation_duration_seconds_sum', failed)! > 0);
    const ended = (service: string, state: string): number | undefined =>
      sampled(samples, 'ananta_service_duration_seconds_count', { service, state, operation: 'deploy' });
    assert.deepEqual([ended('database', 'healthy'), ended('web', 'healthy'), ended('broken', 'failed')], [1, 1, 1]);
    const waited = (service: string, reason: string): number | undefined =>
      sampled(samples, 'ananta_service_wait_seconds_sum', { service, for: reason });
    assert.ok(waited('web', 'dependencies')! > 0, 'it waits for the retry of its database');
    assert.ok(waited('web', 'dependencies')! > waited('database', 'dependencies')!);
    assert.equal(sampled(samples, 'ananta_service_wait_seconds_count', { service: 'web', for: 'health' }), 1);
  });

  test('say nothing of services to which nothing was done', () => {
    assert.equal(sampled(samples, 'ananta_service_wait_seconds_count', { service: 'old' }), undefined);
    assert.equal(sampled(samples, 'ananta_service_duration_seconds_count', { service: 'orphan' }), undefined);
  });

  test('count failed attempts by class: those that are tried again, and those that are final', () => {
    const activity = 'applyRelease';
    assert.equal(sampled(samples, 'ananta_retries_total', { activity, class: 'Unreachable' }), 1);
    assert.equal(sampled(samples, 'ananta_failures_total', { activity, class: 'ChartInvalid' }), 1);
    assert.equal(sampled(samples, 'ananta_failures_total', { class: 'Unreachable' }), undefined);
  });

  test('say what drift there is, of every kind', () => {
    assert.equal(sampled(samples, 'ananta_drift_runs_total', { outcome: 'drifted' }), 1);
    const found = Object.fromEntries(
      DRIFT_KINDS.map((kind) => [kind, sampled(samples, 'ananta_drift_findings', { kind })]),
    );
    assert.deepEqual(found, Object.fromEntries(DRIFT_KINDS.map((kind) => [kind, kind === 'changed' ? 1 : 0])));
    assert.equal(sampled(samples, 'ananta_drift_flapping'), 1);
    assert.ok(Math.abs(sampled(samples, 'ananta_drift_last_run_timestamp_seconds')! - Date.now() / 1000) < 600);
  });

  test('say what was decided by people, and how long operations waited for that', () => {
    const labels = { operation: 'deploy' };
    assert.equal(sampled(samples, 'ananta_decisions_total', { ...labels, decision: 'override-freeze' }), 1);
    assert.equal(sampled(samples, 'ananta_admission_wait_seconds_count', { ...labels, for: 'freeze' }), 1);
    assert.ok(sampled(samples, 'ananta_admission_wait_seconds_sum', { ...labels, for: 'freeze' })! >= 0.9);
    assert.equal(sampled(samples, 'ananta_operations_total', { ...labels, outcome: 'failed' }), 1);
  });

  test('count from zero, so that the first event is an increase', () => {
    const series = (labels: Record<string, string>): Sample[] =>
      samples.filter(
        ({ name, labels: own }) =>
          name === 'ananta_operations_total' && Object.entries(labels).every(([key, value]) => own[key] === value),
      );
    assert.equal(sampled(samples, 'ananta_operations_total', { operation: 'rollback', outcome: 'failed' }), 0);
    // What the worker begins and what a workflow counts is one series.
    assert.equal(series({ operation: 'deploy', outcome: 'failed' }).length, 1);
    assert.equal(sampled(samples, 'ananta_drift_runs_total', { outcome: 'clean' }), 0);
  });

  test('hold all of the SDK that dashboard and alerts ask for', async () => {
    const rules = await readFile(join(MONITORING, 'templates', 'alerts.yaml'), 'utf8');
    const asked = sdkMetrics([
      ...dashboardExpressions(readDashboard()).flatMap(({ expr }) => readPromql(expr).metrics),
      ...(rules.match(/\btemporal_\w+/g) ?? []),
    ]);
    assert.ok(asked.length >= 4);
    // Nothing has failed in this test; its name is that of the requests that it is a part of.
    const missing = asked.filter((name) => sampled(samples, name) === undefined);
    assert.deepEqual(
      missing.filter((name) => name !== 'temporal_request_failure_total'),
      [],
    );
  });

  test('are data for each query of dashboard and rules in a real Prometheus, or known to be none', async (context) => {
    const program = await findProgram('prometheus');
    if (program === undefined) {
      context.skip('no prometheus here (Debian: prometheus)');
      return;
    }
    const rendered = await readFile(join(import.meta.dirname, '..', 'golden', 'deployer-monitoring.yaml'), 'utf8');
    const rules = rulesFile(rendered);
    prometheus = await startPrometheus(program, join(folder, 'prometheus'), { targets: [address], rules });
    const { scrapes, query, alerts } = prometheus;
    // A rate needs two of them, the rules what was scraped before.
    await eventually(async () => assert.ok((await scrapes()) >= 4));
    const empty: string[] = [];
    for (const { where, expr } of dashboardExpressions(readDashboard())) {
      const series = await query(inGrafana(expr, { rate: '1m' }));
      if (series.length === 0 && !MAY_BE_NOTHING.includes(where)) empty.push(where);
    }
    assert.deepEqual(empty, []);
    const shown = async (title: string): Promise<[string, number][]> => {
      const all = dashboardExpressions(readDashboard()).filter(({ where }) => where === `panel ${title}`);
      const series = await Promise.all(all.map(({ expr }) => query(inGrafana(expr, { rate: '1m' }))));
      return series
        .flat()
        .map(({ metric, value }): [string, number] => [Object.values(metric).sort().join(' '), value]);
    };
    // What happened once, and before Prometheus looked for the first time, is shown all the same.
    assert.deepEqual(await shown('Failures'), [['ChartInvalid applyRelease', 1]]);
    assert.deepEqual(await shown('Attempts that are tried again'), [['Unreachable applyRelease', 1]]);
    assert.deepEqual(await shown('Decisions'), [['deploy override-freeze', 1]]);
    assert.deepEqual((await shown('Slowest services')).map(([service]) => service).sort(), [
      'broken',
      'database',
      'web',
    ]);
    assert.ok((await shown('How long they took')).every(([, seconds]) => seconds > 0));
    const findings = (await shown('Findings')).filter(([, found]) => found > 0);
    assert.deepEqual(findings, [['ananta:drift_findings:newest changed test', 1]]);
    await eventually(async () => assert.equal((await alerts())['AnantaDriftFlaps'], 'firing'));
    // Findings have to last for an hour; the operation that failed was followed by two that did not.
    const { AnantaDrift, AnantaOperationFailed, AnantaWorkersGone } = await alerts();
    assert.deepEqual([AnantaDrift, AnantaOperationFailed, AnantaWorkersGone], ['pending', 'inactive', 'inactive']);
  });

  test("hold the SDK's own, in seconds", () => {
    assert.ok(sampled(samples, 'temporal_workflow_task_execution_latency_seconds_count')! > 0);
    assert.ok(sampled(samples, 'temporal_activity_execution_latency_seconds_count')! > 0);
    assert.ok(sampled(samples, 'temporal_workflow_failed_total', { workflow_type: 'deploy' })! >= 1);
  });

  test('are those of the table, with its labels and no others, and hold no value of anything', () => {
    const types = parseTypes(text);
    const added = ['environment', 'namespace', 'taskQueue', 'workflowType', 'le'];
    for (const [name, kind] of Object.entries(types).filter(([metric]) => metric.startsWith('ananta_'))) {
      assert.ok(name in METRICS, `${name} is not in the table`);
      const { kind: wanted, labels } = METRICS[name as MetricName];
      assert.equal(kind, wanted, name);
      for (const sample of samples.filter((each) => each.name.replace(/_(bucket|sum|count)$/, '') === name))
        assert.deepEqual(
          Object.keys(sample.labels)
            .filter((label) => !added.includes(label))
            .sort(),
          [...labels].sort(),
          name,
        );
    }
    assert.ok(!text.includes(SECRET));
    // An id of a run or a workflow would make a series for each operation.
    assert.doesNotMatch(text, /00000001-uid|[0-9a-f]{8}-[0-9a-f]{4}-/);
  });
});

describe('an address that cannot be had', () => {
  let taken: Server;
  after(() => taken.close());

  test('costs the metrics and not the work, and is said', async () => {
    taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen(0, '127.0.0.1', resolve);
    });
    const { port } = taken.address() as { port: number };
    const listen = `127.0.0.1:${port}`;
    const install = Runtime.install.bind(Runtime);
    let asked: unknown;
    // A process has one runtime: what would be installed is looked at instead.
    Runtime.install = (options) => {
      asked = options.telemetryOptions;
      return Runtime.instance();
    };
    try {
      const said = await installRuntime({ name: 'x', telemetry: { metrics: { listen } } }, new DefaultLogger('ERROR'));
      assert.match(
        said!,
        new RegExp(`^No metrics from this worker: telemetry.metrics.listen is ${listen}, and something else`),
      );
      assert.deepEqual(asked, {});
    } finally {
      Runtime.install = install;
    }
  });
});
