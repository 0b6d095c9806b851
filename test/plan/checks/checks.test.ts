/** The verification stage: which checks a plan has, what an answer means to them, and what a Job of one looks like. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkSchema, type HttpCheck, type JobCheck, type PromqlCheck } from '../../../src/catalog/checks.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import { checkVerification } from '../../../src/environment/fields/verification.ts';
import { checksFailure } from '../../../src/plan/checks/failure.ts';
import { judgeHttp, judgeQuery } from '../../../src/plan/checks/expectations.ts';
import { checkJob, checkJobName, isCheckJob } from '../../../src/plan/checks/job.ts';
import { findCheck, plannedChecks } from '../../../src/plan/checks/planned.ts';
import { secretVariables } from '../../../src/plan/checks/secrets.ts';
import { networkPeers } from '../../../src/plan/inputs/network.ts';
import { findService } from '../../../src/plan/releases.ts';
import { miniEnvironment, wholeMini } from '../../support/mini.ts';

const http = (more: object): HttpCheck =>
  checkSchema.parse({ kind: 'http', name: 'x', description: 'x', port: 80, path: '/v', ...more }) as HttpCheck;
const promql = (expect: object): PromqlCheck =>
  checkSchema.parse({ kind: 'promql', name: 'x', description: 'x', query: 'up', expect }) as PromqlCheck;
const catalog = await wholeMini();
const environment = await miniEnvironment();
const without = (skip: Record<string, string>, more: Partial<Environment> = {}): Environment => ({
  ...environment,
  verification: { skip, timeoutFactor: 2 },
  ...more,
});

describe('an HTTP answer', () => {
  const answer = {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: '{"version": "1"}',
    seconds: 0.5,
  };
  const cases: [string, object, Partial<typeof answer>, RegExp | true][] = [
    ['as expected by default', {}, {}, true],
    [
      'of another status',
      {},
      { status: 503, body: 'db is away\nat line 3' },
      /status 503 instead of 200; it said: db is away$/,
    ],
    ['of one of several', { expect: { status: [401, 403] } }, { status: 403 }, true],
    ['of none of several', { expect: { status: [401, 403] } }, {}, /status 200 instead of 401 or 403/],
    ['with the body', { expect: { body: '"version": "\\d+"' } }, {}, true],
    ['without the body', { expect: { body: '^pong$' } }, {}, /body does not match \/\^pong\$\//],
    ['with the header, whatever its case', { expect: { headers: { 'Content-Type': '^application/json' } } }, {}, true],
    [
      'with another header',
      { expect: { headers: { 'content-type': 'html' } } },
      {},
      /header content-type does not match/,
    ],
    ['without the header', { expect: { headers: { etag: '.' } } }, {}, /no header etag/],
    ['in time', { expect: { withinSeconds: 0.5 } }, {}, true],
    ['too late', { expect: { withinSeconds: 0.4 } }, {}, /it took 0\.50 s instead of at most 0\.4 s/],
  ];
  for (const [name, check, came, wanted] of cases)
    test(name, () => {
      const { ok, text } = judgeHttp(http(check), { ...answer, ...came });
      if (wanted === true) assert.ok(ok, text);
      else {
        assert.ok(!ok);
        assert.match(text, wanted);
      }
    });
});

describe('an answer of Prometheus', () => {
  const vector = (...values: string[]): string =>
    JSON.stringify({
      status: 'success',
      data: {
        resultType: 'vector',
        result: values.map((value, at) => ({ metric: { __name__: 'up', job: `j${at}` }, value: [1, value] })),
      },
    });
  const cases: [string, object, string, RegExp | true][] = [
    ['within its bounds', { min: 1, max: 2 }, vector('1', '2'), true],
    ['one series out of bounds', { min: 1 }, vector('1', '0'), /^up is 0 for up\{job=j1\}, and has to be at least 1$/],
    ['not a number is within no bounds', { max: 5 }, vector('NaN'), /has to be at most 5/],
    ['infinite', { min: 1 }, vector('+Inf'), true],
    ['no series where one has to be', { min: 1 }, vector(), /up finds nothing/],
    ['no series where none may be', { empty: true }, vector(), true],
    ['a series where none may be', { empty: true }, vector('1'), /finds 1 for up\{job=j0\}, and has to find nothing/],
    [
      'a scalar',
      { min: 3 },
      JSON.stringify({ status: 'success', data: { resultType: 'scalar', result: [1, '3'] } }),
      true,
    ],
    [
      'a refused query',
      { min: 1 },
      JSON.stringify({ status: 'error', errorType: 'bad_data', error: 'parse error' }),
      /refuses it \(bad_data\): parse error/,
    ],
    ['something else', { min: 1 }, '<html>', /no scalar and no vector of Prometheus: <html>/],
    [
      'a matrix',
      { min: 1 },
      JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [] } }),
      /no scalar and no vector/,
    ],
  ];
  for (const [name, expect, came, wanted] of cases)
    test(name, () => {
      const { ok, text } = judgeQuery(promql(expect), came);
      if (wanted === true) assert.ok(ok, text);
      else {
        assert.ok(!ok);
        assert.match(text, wanted);
      }
    });
});

describe('what a catalog may not say', () => {
  for (const [name, check] of Object.entries({
    'bounds and nothing at once': { kind: 'promql', query: 'up', expect: { min: 1, empty: true } },
    'no expectation of a query': { kind: 'promql', query: 'up', expect: {} },
    'a pattern that is none': { kind: 'http', port: 1, path: '/', expect: { body: '(' } },
    'credentials in a header': { kind: 'http', port: 1, path: '/', headers: { Authorization: 'Bearer x' } },
    'a path without a slash': { kind: 'http', port: 1, path: 'health' },
  }))
    test(name, () => assert.throws(() => checkSchema.parse({ name: 'x', description: 'x', ...check })));
});

describe('the checks of a plan', () => {
  const keys = (planned: ReturnType<typeof plannedChecks>): string[] =>
    planned.map(({ service, name, skipped }) => `${service}/${name}${skipped === undefined ? '' : `: ${skipped}`}`);

  test('are those of all services that are deployed, with the time that the environment gives them', () => {
    const planned = plannedChecks(catalog, without({}));
    assert.deepEqual(keys(planned), ['api/version', 'api/smoke', 'metrics/targets']);
    assert.deepEqual(
      planned.map(({ timeoutSeconds }) => timeoutSeconds),
      [60, 240, 180],
    );
    assert.deepEqual(keys(plannedChecks(catalog, environment, (service) => service === 'metrics')), [
      'metrics/targets',
    ]);
  });
  test('one that the environment skips, or whose service has no replica there, is named with the reason', () => {
    const planned = plannedChecks(
      catalog,
      without({ 'metrics/targets': 'nobody scrapes' }, { replicas: { default: 1, services: { api: 0 } } }),
    );
    assert.deepEqual(keys(planned), [
      'api/version: the environment wants no replica of api',
      'api/smoke: the environment wants no replica of api',
      'metrics/targets: nobody scrapes',
    ]);
  });
  test('are found again by their definition alone', () => {
    const [planned] = plannedChecks(catalog, environment);
    assert.equal(findCheck(catalog, planned!)?.check.name, 'version');
    assert.equal(findCheck(catalog, { ...planned!, digest: '0000000000000000' }), undefined);
    assert.equal(findCheck(catalog, { ...planned!, name: 'gone' }), undefined);
  });
  test('of an environment have to exist, and to have somebody to ask', () => {
    const { prometheus: _none, ...bare } = catalog;
    const problems = (skip: Record<string, string>, of = catalog, more = {}): string[] =>
      checkVerification({ verification: { skip, timeoutFactor: 1 }, ...more }, of).map(({ message }) => message);
    assert.deepEqual(problems({ 'api/smoke': 'x' }), []);
    assert.match(problems({ 'api/smok': 'x' })[0] ?? '', /there is no check "api\/smok".*api\/smoke/);
    assert.match(problems({}, bare)[0] ?? '', /no Prometheus of its own, and metrics\/targets asks one/);
    assert.deepEqual(problems({ 'metrics/targets': 'x' }, bare), []);
    assert.deepEqual(problems({}, bare, { prometheus: { url: 'https://p.example' } }), []);
  });
});

describe('the Job of a check', () => {
  const service = findService(catalog, 'api');
  const check = service.checks.find(({ name }) => name === 'smoke') as JobCheck;
  const input = {
    environment,
    service,
    check,
    imageTags: {},
    run: '01234567-89ab-cdef-0123-456789abcdef',
    timeoutSeconds: 90.2,
    secrets: secretVariables(catalog, service, check),
  };
  interface Job {
    metadata: { name: string; labels: Record<string, string> };
    spec: {
      backoffLimit: number;
      activeDeadlineSeconds: number;
      ttlSecondsAfterFinished: number;
      template: {
        metadata: { labels: Record<string, string> };
        spec: { containers: { image: string; env: unknown[] }[] };
      };
    };
  }

  test('is ours by its labels, ends by itself, and goes by itself', () => {
    const { metadata, spec } = checkJob(input) as Job;
    assert.equal(metadata.name, 'api-check-smoke-01234567');
    assert.equal(metadata.name, checkJobName('api', 'smoke', input.run));
    assert.equal(metadata.labels['ananta.dev/environment'], environment.name);
    assert.equal(metadata.labels['ananta-run'], input.run);
    assert.deepEqual([spec.backoffLimit, spec.activeDeadlineSeconds], [2, 91]);
    assert.ok(spec.ttlSecondsAfterFinished > 0);
    assert.ok(isCheckJob('Job', metadata.labels), 'drift knows it');
    assert.ok(!isCheckJob('Job', { 'app.kubernetes.io/component': 'check' }));
  });
  test('its pods are nobody whom a Service leads to, and who may reach the service', () => {
    const { spec } = checkJob(input) as Job;
    assert.equal(spec.template.metadata.labels['app.kubernetes.io/instance'], 'api-check-smoke');
    assert.ok(
      networkPeers(catalog, service).some(
        ({ instance, namespace }) => instance === 'api-check-smoke' && namespace === 'apps',
      ),
    );
  });
  test('gets values of Secrets by reference alone: of the Secret that is made from the path, or of one of others', () => {
    const { spec } = checkJob(input) as Job;
    const reference = (name: string, secret: string, key: string) => ({
      name,
      valueFrom: { secretKeyRef: { name: secret, key } },
    });
    assert.deepEqual(spec.template.spec.containers[0]?.env, [
      { name: 'API_URL', value: 'http://api.apps.svc:8080' },
      reference('CLIENT_SECRET', 'vault-auth-admin', 'api-client-secret'),
    ]);
    const secrets = secretVariables(catalog, service, { secretEnv: { TOKEN: { secret: 'theirs', key: 'token' } } });
    assert.deepEqual((checkJob({ ...input, secrets }) as Job).spec.template.spec.containers[0]?.env[1], {
      ...reference('TOKEN', 'theirs', 'token'),
    });
  });
  test("runs the service's image as it is deployed, or one of its own", () => {
    const imageOf = (more: object): string =>
      (checkJob({ ...input, ...more }) as Job).spec.template.spec.containers[0]?.image ?? '';
    assert.equal(imageOf({}), `${environment.images.prefix}/api:1.0.0`);
    assert.equal(imageOf({ imageTags: { api: '2.0.0' } }), `${environment.images.prefix}/api:2.0.0`);
    const image = { repository: 'docker.io/curl', tag: '8', own: false };
    assert.equal(imageOf({ check: { ...check, image } }), 'docker.io/curl:8');
  });
});

test('checks that have not passed are one failure that names each with its evidence', () => {
  const outcome = (name: string, passed: boolean, evidence?: string) => ({
    service: 'api',
    name,
    kind: 'http' as const,
    passed,
    text: `Check api/${name}: ${passed ? 'good' : 'bad'}`,
    seconds: 1,
    ...(evidence === undefined ? {} : { evidence }),
  });
  assert.equal(checksFailure(), undefined);
  assert.equal(checksFailure([outcome('a', true)]), undefined);
  const failure = checksFailure([outcome('a', true), outcome('b', false), outcome('c', false, '/c.txt')]);
  assert.equal(failure?.type, 'CheckFailed');
  assert.equal(
    failure?.message,
    'All services are healthy, but 2 of 3 checks have not passed:\nCheck api/b: bad\nCheck api/c: bad (evidence: /c.txt)',
  );
  assert.equal(failure?.evidence, '/c.txt');
});
