/** One trace for an operation, from the command over workflows and activities to Helm, at a collector of our own. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createGuard } from '../../src/activities/retry/guard.ts';
import { temporalScope } from '../../src/activities/scope.ts';
import { createRedactor } from '../../src/clients/redact.ts';
import { startTracing, type Tracing } from '../../src/clients/telemetry/tracing.ts';
import { startOrAttach } from '../../src/clients/temporal/index.ts';
import { readConfig } from '../../src/config.ts';
import { DeployError } from '../../src/contract/errors.ts';
import { FAILURES } from '../../src/contract/failures.ts';
import { phaseWorkflowId } from '../../src/contract/names.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { inSpan } from '../../src/process/spans.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';
import { withFakeHelm } from '../support/fakes/helm.ts';
import {
  type CollectedSpan,
  type Collector,
  gaps,
  orphans,
  pathTo,
  startCollector,
} from '../support/telemetry/otlp.ts';
import { planOf, recordingActivities } from '../support/plans.ts';

const SECRET = 'hunter2-is-in-no-span';
const OUTER = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };
const SERVICES = ['database', 'web', 'broken', 'orphan'];

let collector: Collector;
let tracing: Tracing;
let engine: TestEngine;
let folder: string;
let spans: CollectedSpan[];
/**
 * Workflow tasks that took too long, or whose worker had gone: they are carried out again, and what they made is made
 * again.
 */
let tasksAgain = 0;
const helmEnvironments = new Map<string, string>();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-traces-'));
  const headersFile = join(folder, 'headers');
  await writeFile(headersFile, 'Authorization: Bearer of-the-collector\n');
  collector = await startCollector();
  tracing = await startTracing(
    { endpoint: collector.endpoint, headersFile },
    { service: 'ananta', version: '0', environment: 'test', variables: {} },
  );
  engine = await startTestEngine({ tracing });
  const environment = await loadEnvironment('sandbox', readConfig());
  const guard = createGuard({ redactor: createRedactor(), environment }, temporalScope);
  await withFakeHelm(async ({ client, request, recorded }) => {
    const { activities } = recordingActivities(
      planOf({
        database: { phase: 1 },
        web: { phase: 2, dependsOn: ['database'] },
        broken: { phase: 2, dependsOn: ['database'] },
        orphan: { phase: 3, dependsOn: ['broken'] },
      }),
      {
        applyRelease: guard(() => async ({ step }) => {
          if (step.name === 'broken')
            await inSpan('fails unredacted', {}, () =>
              Promise.reject(new DeployError(FAILURES.chartInvalid, SECRET)),
            ).catch(() => {
              throw new DeployError(FAILURES.chartInvalid, 'the chart is broken');
            });
          const { revision } = await client.upgrade(request(step.name, { values: SECRET }));
          helmEnvironments.set(step.name, await recorded(step.name, 'env'));
          return { changed: true, revision, seconds: 0 };
        }),
      },
    );
    await engine.withWorker(activities, () =>
      tracing.root('ananta deploy', {}, `00-${OUTER.trace}-${OUTER.span}-01`, async () => {
        const asked = { environment: 'test', imageTags: {}, clusterUid: '00000002-uid', requestedBy: 'tester@host' };
        const run = await startOrAttach(engine.client, 'deploy', asked, 'refuse');
        await assert.rejects(engine.client.workflow.getHandle(run.workflowId, run.runId).result());
        tasksAgain = await countTasksAgain(run);
      }),
    );
  });
  assert.equal(await tracing.close(), undefined);
  ({ spans } = collector);
});
after(async () => {
  await engine.close();
  await collector.close();
  await rm(folder, { recursive: true, force: true });
});

async function countTasksAgain({ workflowId, runId }: { workflowId: string; runId: string }): Promise<number> {
  const ids = [workflowId, ...[1, 2, 3].map((phase) => phaseWorkflowId(workflowId, runId, phase))];
  const histories = await Promise.all(
    // A phase may have no services.
    ids.map((id) =>
      engine.client.workflow
        .getHandle(id)
        .fetchHistory()
        .catch(() => undefined),
    ),
  );
  return histories
    .flatMap((history) => history?.events ?? [])
    .filter((event) => event.workflowTaskTimedOutEventAttributes ?? event.workflowTaskFailedEventAttributes).length;
}

const named = (name: string): CollectedSpan[] => spans.filter((span) => span.name === name);
const of = (name: string, service: string): CollectedSpan | undefined =>
  named(name).find(
    ({ attributes }) => attributes['ananta.service'] === service || attributes['helm.release'] === service,
  );

describe('the trace of an operation', () => {
  test('is one, below what the pipeline began, and has no gap', () => {
    assert.deepEqual([...new Set(spans.map(({ traceId }) => traceId))], [OUTER.trace]);
    assert.deepEqual(
      orphans(spans).map(({ name, parentId }) => [name, parentId]),
      [['ananta deploy', OUTER.span]],
    );
    const ids = spans.map(({ spanId }) => spanId);
    const twice = spans.filter(({ spanId }, index) => ids.indexOf(spanId) !== index);
    const unexplained = twice.filter(({ name }) => tasksAgain === 0 || /^(RunActivity:|helm |ananta )/.test(name));
    assert.deepEqual(
      unexplained.map(({ name }) => name),
      [],
      'each span is sent once',
    );
    // Between two steps the engine hands on what has ended.
    const { operation, uncovered } = gaps(spans);
    const total = uncovered.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    assert.ok(total < (operation.end - operation.start) / 2, JSON.stringify(uncovered));
  });

  test('leads from the command to the Helm process of every service', () => {
    for (const service of ['database', 'web'])
      assert.deepEqual(pathTo(spans, of('helm upgrade --install', service)), [
        'ananta deploy',
        'StartWorkflow:deploy',
        'RunWorkflow:deploy',
        'StartChildWorkflow:phase',
        'RunWorkflow:phase',
        `service ${service}`,
        'StartActivity:applyRelease',
        'RunActivity:applyRelease',
        'helm upgrade --install',
      ]);
  });

  test('has every service, with its state, how long it waited and why it failed', () => {
    const states = Object.fromEntries(
      SERVICES.map((service) => [service, of(`service ${service}`, service)?.attributes['ananta.state']]),
    );
    assert.deepEqual(states, { database: 'healthy', web: 'healthy', broken: 'failed', orphan: 'skipped' });
    const broken = of('service broken', 'broken')!;
    assert.deepEqual([broken.status, broken.attributes['error.type']], [2, 'ChartInvalid']);
    const waits = named('wait for dependencies');
    assert.equal(waits.length, SERVICES.length);
    const waited = waits.find(({ attributes }) => attributes['ananta.service'] === 'web')!;
    assert.ok(waited.end >= of('service database', 'database')!.end - 1, 'web waits for the end of its database');
  });

  test('is known to the Helm process, by the variable of W3C', () => {
    for (const service of ['database', 'web']) {
      // On a busy machine an activity may have been tried again, with a Helm of its own.
      const helms = named('helm upgrade --install').filter(({ attributes }) => attributes['helm.release'] === service);
      const wanted = helms.map(({ traceId, spanId }) => `TRACEPARENT=00-${traceId}-${spanId}-01`);
      const [found = ''] = /^TRACEPARENT=.*$/m.exec(helmEnvironments.get(service) ?? '') ?? [];
      assert.ok(wanted.includes(found), `${found} is none of ${wanted.join(', ')}`);
    }
  });

  test('goes to /v1/traces with the headers of the file, and holds no value and no text of an error that nobody redacted', () => {
    assert.deepEqual([...new Set(collector.requests.map(({ path }) => path))], ['/v1/traces']);
    assert.ok(collector.requests.every(({ headers }) => headers.authorization === 'Bearer of-the-collector'));
    assert.equal(named('fails unredacted')[0]?.attributes['error.type'], 'ChartInvalid');
    assert.ok(!collector.raw().includes(SECRET));
  });
});

describe('a collector that is away', () => {
  test('costs the spans and is told, soon', async () => {
    const gone = await startCollector();
    await gone.close();
    const away = await startTracing(
      { endpoint: gone.endpoint },
      { service: 'ananta', version: '0', environment: 'test', variables: {} },
    );
    assert.equal(await away.root('ananta deploy', {}, undefined, () => Promise.resolve('done')), 'done');
    assert.match((await away.close())!, /ECONNREFUSED|no answer within 3 s/);
  });
});
