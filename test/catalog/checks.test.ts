/** The checks of the platforms of this checkout: what simulated pods answer is what they expect. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownAnswers } from '../../bootstrap/cluster/contents.ts';
import { loadCatalog } from '../../src/catalog/index.ts';
import { judgeHttp, judgeQuery } from '../../src/plan/checks/expectations.ts';
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
