/** From events to segments, and to a file that holds all of it and asks for nothing. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renderReport } from '../../../src/plan/report/html.ts';
import { secondsIn } from '../../../src/plan/report/report.ts';
import { BEGAN, EVENTS, sampleReport } from './sample.ts';

describe('report of an operation', () => {
  test('each service: what it passed through, without gaps, and whom it waited for last', () => {
    const { services, outcome, endedAt } = sampleReport();
    assert.deepEqual([outcome, endedAt - BEGAN], ['failed', 10_000]);
    assert.deepEqual(
      services.map((service) => [service.name, service.state, secondsIn(service), service.waitedFor]),
      [
        ['db', 'healthy', { applying: 2, starting: 3 }, undefined],
        ['cache', 'healthy', { applying: 3 }, undefined],
        ['api', 'failed', { waiting: 5, applying: 2, starting: 2 }, 'db'],
        ['web', 'skipped', { waiting: 9 }, undefined],
      ],
    );
    for (const { segments } of services)
      segments.slice(1).forEach((segment, index) => assert.equal(segment.from, segments[index]?.to));
    assert.deepEqual(
      services[0]?.segments.map(({ details }) => details),
      [['helm upgrade --install'], ['0/1 replicas ready']],
    );
    assert.deepEqual(
      services.filter(({ critical }) => critical).map(({ name }) => name),
      ['db', 'api'],
    );
  });

  test('while it runs, everything open lasts until now', () => {
    const report = sampleReport(EVENTS.slice(0, -3));
    assert.deepEqual([report.outcome, report.endedAt - BEGAN], ['running', 8000]);
    const api = report.services.find(({ name }) => name === 'api');
    assert.deepEqual(api && [api.state, secondsIn(api)], ['applying', { waiting: 5, applying: 2 }]);
  });

  test('terminated from outside: it says so, and lasts until then', () => {
    const terminated = { at: BEGAN + 7500, message: 'The deployment was terminated: by hand' };
    const report = sampleReport(EVENTS.slice(0, -3), { terminated });
    assert.deepEqual([report.outcome, report.endedAt - BEGAN], ['terminated', 7500]);
    assert.match(renderReport(report), /<span class="bad">terminated<[^]*The deployment was terminated: by hand/);
  });

  test('before there is a plan', () => {
    const report = sampleReport(EVENTS.slice(0, 1));
    assert.deepEqual([report.services, report.outcome], [[], 'running']);
    assert.match(renderReport(report), /Nothing was to be done for any service/);
  });

  test('as a file: everything is in it, escaped, and nothing outside is asked for', () => {
    const html = renderReport(sampleReport());
    for (const part of [
      'shop: deploy <span class="bad">failed</span>',
      '&lt;b&gt;GET /health&lt;/b&gt; 503',
      '/state/evidence/run/api.txt',
      'pod api-0: CrashLoopBackOff',
      'anna@build',
      'the API server was away',
      '<td>spec.replicas</td><td>1</td><td>2</td>',
      'api: 5.0 s waiting for dependencies, 2.0 s Helm at work, 2.0 s pods and health check awaited, failed',
      ', last for db',
      'a note',
      "default-src 'none'",
    ])
      assert.ok(html.includes(part), part);
    assert.equal(/<script|https?:|\bsrc=|url\(/.test(html), false);
  });
});
