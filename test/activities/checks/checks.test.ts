/** One check, against servers and a cluster of the test. */
import assert from 'node:assert/strict';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createActivities } from '../../../src/activities/index.ts';
import type { Catalog } from '../../../src/catalog/schema.ts';
import type { PlannedCheck } from '../../../src/contract/checks.ts';
import { checkAll } from '../../../src/effects/checks/all.ts';
import { makeCheck } from '../../../src/effects/checks/run.ts';
import { createDeadline } from '../../../src/effects/wait/deadline.ts';
import { plannedChecks } from '../../../src/plan/checks/planned.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { wholeMini } from '../../support/mini.ts';
import { type TestScope, testScope } from '../../support/scope.ts';

const mini = await wholeMini();
const JOBS = '/apis/batch/v1/namespaces/apps/jobs';
const JOB = `${JOBS}/api-check-smoke-run-1`;
/** The Secret from which the Job of the check `smoke` gets a value. */
const SECRET = '/api/v1/namespaces/apps/secrets/vault-auth-admin';
const CLIENT_SECRET = 'a-value-that-nobody-sees';
const signal = new AbortController().signal;

type Answering = (request: http.IncomingMessage, response: http.ServerResponse) => void;

/** A ready pod of api and one of metrics; a server in this test answers for them. */
async function withPods(
  answer: Answering,
  work: (parts: FakeParts) => Promise<void>,
  catalog: Catalog = mini,
): Promise<void> {
  const server = http.createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await withFakeClients(async (parts) => {
      for (const service of ['api', 'metrics'])
        parts.cluster.watched.set(`Pod/apps/${service}/${service}-1`, {
          metadata: { name: `${service}-1`, namespace: 'apps', uid: service, resourceVersion: '1' },
          status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
        });
      parts.cluster.objects.set(SECRET, {
        metadata: { name: 'vault-auth-admin', namespace: 'apps', uid: 'secret', resourceVersion: '1' },
        data: { 'api-client-secret': Buffer.from(CLIENT_SECRET).toString('base64') },
      });
      const connect = (): Promise<net.Socket> =>
        new Promise((resolve, reject) => {
          const socket = net.connect(port, '127.0.0.1', () => resolve(socket));
          socket.once('error', reject);
        });
      const clients = { ...parts.clients, catalog, kubernetes: { ...parts.clients.kubernetes, connect } };
      await work({ ...parts, clients });
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function planned({ clients }: FakeParts, name: string): PlannedCheck {
  return plannedChecks(mini, clients.environment).find((check) => check.name === name)!;
}

function run(parts: FakeParts, check: PlannedCheck, scope: TestScope = testScope()): Promise<{ text: string }> {
  return createActivities(parts.clients, () => scope).runCheck({ run: parts.run, check });
}

const json = (response: http.ServerResponse, body: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};

describe('a request', () => {
  test('is tried again until the answer is as expected', async () => {
    const seen: string[] = [];
    const answer: Answering = (request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.host}`);
      if (seen.length < 3) response.writeHead(503).end('starting');
      else json(response, { version: 1 });
    };
    await withPods(answer, async (parts) => {
      const { text } = await run(parts, planned(parts, 'version'));
      assert.match(text, /^GET \/version 200 in /);
      assert.deepEqual(new Set(seen), new Set(['GET /version api.apps.svc']));
      assert.equal(seen.length, 3);
    });
  });

  test('fails with what came back last when its time is over, and is not tried again by the engine', () =>
    withPods(
      (_request, response) => response.writeHead(500).end('no database'),
      async (parts) => {
        await assert.rejects(run(parts, { ...planned(parts, 'version'), timeoutSeconds: 0.05 }), {
          type: 'CheckFailed',
          nonRetryable: true,
          message:
            /^Check api\/version has failed after \d+ s: GET \/version: status 500 instead of 200, .*it said: no database$/,
        });
      },
    ));

  test('goes on with the time that an earlier attempt has left', () =>
    withPods(
      (_request, response) => response.writeHead(500).end(),
      async (parts) => {
        const scope = testScope({ spentSeconds: 29.99 });
        const begun = performance.now();
        await assert.rejects(run(parts, planned(parts, 'version'), scope), { type: 'CheckFailed' });
        assert.ok(performance.now() - begun < 20_000, 'the 30 s did not begin anew');
      },
    ));

  test('without a ready pod is an answer, too', () =>
    withPods(
      () => undefined,
      async (parts) => {
        parts.cluster.watched.clear();
        await assert.rejects(
          run(parts, { ...planned(parts, 'version'), timeoutSeconds: 0.01 }),
          /api has no ready pod to ask/,
        );
      },
    ));

  test('that the catalog has no more is refused: the plan is of another checkout', () =>
    withPods(
      () => undefined,
      async (parts) => {
        const other = { ...planned(parts, 'version'), digest: '0000000000000000' };
        await assert.rejects(run(parts, other), { type: 'PlanOutdated', nonRetryable: true });
      },
    ));
});

describe('a query', () => {
  const vector = (value: string): unknown => ({
    status: 'success',
    data: { resultType: 'vector', result: [{ metric: {}, value: [0, value] }] },
  });
  test("goes to the platform's Prometheus", async () => {
    const seen: string[] = [];
    await withPods(
      (request, response) => {
        seen.push(`${request.headers.host} ${request.url}`);
        json(response, vector('1'));
      },
      async (parts) => {
        assert.equal((await run(parts, planned(parts, 'targets'))).text, 'min(up) is 1');
        assert.deepEqual(seen, ['metrics.apps.svc /api/v1/query?query=min(up)']);
      },
    );
  });

  test('goes to the Prometheus that the environment names, with its headers, and elsewhere not', async () => {
    const seen: string[] = [];
    await withPods(
      (request, response) => {
        seen.push(`${request.url} ${request.headers.authorization}`);
        if (seen.length === 1) json(response, vector('0'));
        else response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end('moved');
      },
      async ({ clients, folder }) => {
        const server = await clients.kubernetes.connect({ namespace: '', pod: '' }, 0);
        const { remotePort } = server as net.Socket;
        server.destroy();
        const headersFile = join(folder, 'headers');
        await writeFile(headersFile, 'Authorization: Bearer of-the-test\n');
        const environment = {
          ...clients.environment,
          prometheus: { url: `http://127.0.0.1:${remotePort}/prom/`, headersFile },
        };
        const service = mini.services.find(({ name }) => name === 'metrics')!;
        const ask = (): ReturnType<typeof makeCheck> =>
          makeCheck(
            clients,
            environment,
            { service, check: service.checks[0]!, imageTags: {}, run: 'r', timeoutSeconds: 60, once: true },
            {
              deadline: createDeadline({ limitSeconds: 60, spentSeconds: 0, signal }),
              signal,
              onStatus: () => undefined,
            },
          );
        assert.deepEqual(await ask(), { ok: false, text: 'min(up) is 0, and has to be at least 1' });
        assert.equal(seen[0], '/prom/api/v1/query?query=min(up) Bearer of-the-test');
        assert.match((await ask()).text, /no scalar and no vector of Prometheus: moved/);
        assert.ok(
          !clients.redactor.redact('it is of-the-test').includes('of-the-test'),
          'the token is known as a secret',
        );
      },
    );
  });
});

describe('a Job', () => {
  const nobody: Answering = () => undefined;
  const end = ({ cluster }: FakeParts, type: 'Complete' | 'Failed'): void => {
    const job = cluster.objects.get(JOB)!;
    const status = { conditions: [{ type, status: 'True', reason: 'BackoffLimitExceeded', message: 'it has failed' }] };
    cluster.objects.set(JOB, { ...job, status });
    cluster.notify('apps', 'api-check-smoke');
  };
  const made = async ({ cluster }: FakeParts): Promise<void> => {
    while (!cluster.objects.has(JOB)) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  test('is made, waited for and removed', () =>
    withPods(nobody, async (parts) => {
      const done = run(parts, planned(parts, 'smoke'));
      await made(parts);
      end(parts, 'Complete');
      assert.equal((await done).text, 'Job completed');
      assert.deepEqual(parts.cluster.removed, [JOB]);
    }));

  test('that has failed stays for whoever looks into its logs', () =>
    withPods(nobody, async (parts) => {
      const done = assert.rejects(
        run(parts, planned(parts, 'smoke')),
        /Job failed: BackoffLimitExceeded, it has failed/,
      );
      await made(parts);
      end(parts, 'Failed');
      await done;
      assert.deepEqual(parts.cluster.removed, []);
    }));

  test('gets a value by reference, and what it writes shows none', () =>
    withPods(nobody, async (parts) => {
      const said = assert.rejects(run(parts, planned(parts, 'smoke')), (error: Error) => {
        assert.match(error.message, /Job failed: it says \[redacted\]/);
        assert.doesNotMatch(error.message, new RegExp(CLIENT_SECRET));
        return true;
      });
      await made(parts);
      const job = parts.cluster.objects.get(JOB)!;
      assert.doesNotMatch(JSON.stringify(job), new RegExp(CLIENT_SECRET));
      const condition = { type: 'Failed', status: 'True', message: `it says ${CLIENT_SECRET}` };
      parts.cluster.objects.set(JOB, { ...job, status: { conditions: [condition] } });
      parts.cluster.notify('apps', 'api-check-smoke');
      await said;
    }));

  for (const [what, secret, why] of [
    [
      'whose Secret is not there',
      undefined,
      /CLIENT_SECRET comes from Secret apps\/vault-auth-admin, which is not there/,
    ],
    ['whose key is not there', {}, /comes from Secret apps\/vault-auth-admin, which has no key api-client-secret/],
  ] as const)
    test(`${what} is not made`, () =>
      withPods(nobody, async (parts) => {
        const { objects } = parts.cluster;
        if (secret === undefined) objects.delete(SECRET);
        else objects.set(SECRET, { ...objects.get(SECRET)!, data: secret });
        await assert.rejects(run(parts, planned(parts, 'smoke')), why);
        assert.equal(objects.has(JOB), false);
      }));

  test('of an attempt that was cut off is found again, not made a second time', () =>
    withPods(nobody, async (parts) => {
      const labels = { 'ananta.dev/environment': 'sandbox', 'ananta-run': 'run-1' };
      parts.cluster.objects.set(JOB, {
        metadata: { name: 'api-check-smoke-run-1', namespace: 'apps', uid: 'ours', resourceVersion: '1', labels },
        status: { conditions: [{ type: 'Complete', status: 'True' }] },
      });
      assert.equal((await run(parts, planned(parts, 'smoke'))).text, 'Job completed');
      assert.deepEqual(parts.cluster.removed, [JOB]);
    }));

  test('is removed when the check is given up', () =>
    withPods(nobody, async (parts) => {
      const scope = testScope();
      const done = assert.rejects(run(parts, planned(parts, 'smoke'), scope));
      await made(parts);
      scope.cancel();
      await done;
      assert.deepEqual(parts.cluster.removed, [JOB]);
    }));

  test("of its name that is somebody else's is left alone", () =>
    withPods(nobody, async (parts) => {
      const theirs = { metadata: { name: 'api-check-smoke-run-1', namespace: 'apps', uid: 't', resourceVersion: '1' } };
      parts.cluster.objects.set(JOB, theirs);
      await assert.rejects(run(parts, planned(parts, 'smoke')), { type: 'NotOurs', nonRetryable: true });
      assert.equal(parts.cluster.objects.get(JOB), theirs);
      assert.deepEqual(parts.cluster.removed, []);
    }));

  test('that somebody deletes while it runs is no success', () =>
    withPods(nobody, async (parts) => {
      const done = assert.rejects(run(parts, planned(parts, 'smoke')), /somebody has deleted its Job while it ran/);
      await made(parts);
      parts.cluster.objects.delete(JOB);
      parts.cluster.notify('apps', 'api-check-smoke');
      await done;
    }));
});

test('all of them at once, each asked once: rows in the order of the catalog, skipped ones with their reason', () =>
  withPods(
    (request, response) => {
      if (request.url === '/version') response.writeHead(404).end();
      else json(response, { status: 'success', data: { resultType: 'vector', result: [] } });
    },
    async ({ clients }) => {
      const environment = {
        ...clients.environment,
        verification: { skip: { 'api/smoke': 'its image is not here' }, timeoutFactor: 1 },
      };
      const rows = await checkAll(clients, environment, signal);
      assert.deepEqual(
        rows.map(({ service, name, outcome }) => `${service}/${name} ${outcome}`),
        ['api/version failed', 'api/smoke skipped', 'metrics/targets failed'],
      );
      assert.equal(rows[1]?.text, 'its image is not here');
      assert.equal(rows[2]?.text, 'min(up) finds nothing');
    },
  ));
