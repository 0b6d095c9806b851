/** From events to segments, and to a file that holds all of it and asks for nothing. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renderReport } from '../../../src/plan/report/html.ts';
import { secondsIn } from '../../../src/plan/report/report.ts';
import { holdsIn } from '../../../src/plan/report/holds.ts';
import type { OperationWait } from '../../../src/contract/operations/deploy.ts';
import type { DeploymentEvent } from '../../../src/plan/progress.ts';
import { ask } from '../../../src/plan/steering/state.ts';
import { BEGAN, EVENTS, PAUSED, sampleReport } from './sample.ts';

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

  test('what it waited for people, what they decided, and the checks in the order of the plan', () => {
    const { holds, acts, checks } = sampleReport();
    const seconds = (moment: number): number => (moment - BEGAN) / 1000;
    assert.deepEqual(
      holds.map(({ kind, from, to, text }) => [kind, seconds(from), seconds(to), text]),
      [['paused', 2, 4, 'paused by ops@host: look at <db>']],
    );
    assert.deepEqual(
      acts.map(({ act, by }) => [act, by]),
      [
        ['pause', 'ops@host'],
        ['resume', 'ops@host'],
      ],
    );
    assert.deepEqual(
      checks.map(({ name, state, from, to, text, evidence }) => [
        name,
        state,
        seconds(from),
        seconds(to),
        text,
        evidence,
      ]),
      [
        ['page', 'passed', 8, 9, 'GET / 200', undefined],
        ['size', 'failed', 8, 9.5, 'it is <too> big', '/state/evidence/run/size.txt'],
      ],
    );
  });

  test('waits at gates and questions: one after the other, the open one until now', () => {
    const wait = (step: string): OperationWait => ({ step, reason: `waits at ${step}`, since: '' });
    const question = { service: 'api', failure: 'no', since: 'then', until: '', then: 'stop' as const };
    const asked = ask(PAUSED, question);
    const { paused: _over, ...going } = asked;
    const told: [number, DeploymentEvent][] = [
      [1, { kind: 'waits', wait: wait('freeze'), at: 1 }],
      [2, { kind: 'waits', wait: { ...wait('freeze'), reason: 'still' }, at: 2 }],
      [3, { kind: 'waits', wait: wait('gate'), at: 3 }],
      [4, { kind: 'waits', at: 4 }],
      [5, { kind: 'steering', steering: PAUSED, at: 5 }],
      [6, { kind: 'steering', steering: asked, at: 6 }],
      [7, { kind: 'steering', steering: going, at: 7 }],
    ];
    assert.deepEqual(
      holdsIn(
        told.map(([, event]) => event),
        9,
      ).map(({ kind, from, to }) => [kind, from, to]),
      [
        ['waits', 1, 3],
        ['waits', 3, 4],
        ['paused', 5, 7],
        ['asked', 6, 9],
      ],
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
      'paused: 2.0 s paused by ops@host: look at &lt;db&gt;',
      '>paused it: look at &lt;db&gt;</td>',
      'Decisions: after 2.0 s ops@host paused it: look at &lt;db&gt;; after 4.0 s ops@host let it go on',
      'check db/size: 1.5 s, failed',
      'it is &lt;too&gt; big<br>Evidence, on the worker’s machine: <code>/state/evidence/run/size.txt</code>',
      "default-src 'none'",
    ])
      assert.ok(html.includes(part), part);
    assert.equal(/<script|https?:|\bsrc=|url\(/.test(html), false);
  });
});
