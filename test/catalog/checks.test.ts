/** The checks of the platforms of this checkout: what simulated pods answer is what they expect. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownAnswers } from '../../bootstrap/cluster/contents.ts';
import { loadCatalog } from '../../src/catalog/index.ts';
import { judgeHttp, judgeQuery } from '../../src/plan/checks/expectations.ts';
import { checkChecks } from '../../src/catalog/check/verification.ts';
import type { Catalog } from '../../src/catalog/schema.ts';
import { wholeMini } from '../support/mini.ts';

for (const platform of [loadCatalog(), await wholeMini()])
  test(`what a simulated pod of ${platform.name} answers passes its checks`, () => {
    const answers = knownAnswers(platform);
    const all = platform.services.flatMap(({ name, checks }) => checks.map((check) => ({ service: name, check })));
    assert.ok(all.length > 0);
    for (const { service, check } of all) {
      if (check.kind === 'job') continue;
      const path = check.kind === 'http' ? check.path : `/api/v1/query?query=${encodeURIComponent(check.query)}`;
      const server = check.kind === 'http' ? service : platform.prometheus?.service;
      const known = answers.find((answer) => answer.service === server && answer.path === path);
      const body = known?.body ?? JSON.stringify({ service, status: 'ok', simulated: true });
      const headers = { 'content-type': 'application/json', ...known?.headers };
      const { ok, text } =
        check.kind === 'http'
          ? judgeHttp(check, { status: known?.status ?? 200, headers, body, seconds: 0 })
          : judgeQuery(check, body);
      assert.ok(ok, `${service}/${check.name}: ${text}`);
    }
  });

test('a Job of a check gets values of Secrets that are there, and of no others', async () => {
  const mini = await wholeMini();
  const said = (secretEnv: object, env: Record<string, string> = {}): string[] => {
    const services = mini.services.map((service) => ({
      ...service,
      checks: service.checks.map((check) => (check.kind === 'job' ? { ...check, env, secretEnv } : check)),
    })) as Catalog['services'];
    return checkChecks({ ...mini, services }).map(({ field, message }) => `${field}: ${message}`);
  };
  assert.deepEqual(said({ A: { path: 'auth/admin', key: 'api-client-secret' }, B: { secret: 'any', key: 'k' } }), []);
  const table: [object, RegExp][] = [
    [{ path: 'auth/admn', key: 'x' }, /secretEnv\.A: unknown secret path "auth\/admn".*auth\/admin/],
    [{ path: 'auth/admin', key: 'x' }, /secretEnv\.A: auth\/admin has no key "x"/],
    // In the namespace of api nobody gets it, or reads it from Vault itself.
    [
      { path: 'database/main', key: 'postgres-password' },
      /no service in apps gets "postgres-password" of database\/main/,
    ],
    [{ path: 'apps/api', key: 'signing-key' }, /no service in apps gets "signing-key" of apps\/api/],
  ];
  for (const [reference, problem] of table) assert.match(said({ A: reference }).join('\n'), problem);
  assert.match(said({ A: { secret: 's', key: 'k' } }, { A: '1' }).join('\n'), /secretEnv\.A: stands in env, too/);
});
