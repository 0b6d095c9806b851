import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LiveEvent } from '../../../src/cli/render/live.ts';
import type { LogLine } from '../../../src/plan/explain/log-line.ts';
import { treeLines } from '../../../src/cli/render/tree.ts';
import { colourStyle, plainStyle } from '../../../src/cli/shared/terminal.ts';
import { planOf } from '../../support/plans.ts';
import { ended, FAILED, fold, HALFWAY, PAST, PLANNED, progress, START } from '../sample.ts';

const draw = (events: readonly LiveEvent[], after: number, { columns = 80, rows = 24 } = {}): string[] =>
  treeLines(fold(events), { environment: 'sandbox', now: START + after * 1000, columns, rows, style: plainStyle });

const said = (pod: string, container: string, text: string): LogLine => ({
  pod,
  container,
  at: '2026-01-05T12:00:00.5Z',
  text,
});

const check = (second: number, name: string, state: 'running' | 'passed' | 'failed', text?: string): LiveEvent => ({
  kind: 'check',
  check: { service: 'vault', name, state, ...(text === undefined ? {} : { text }) },
  at: START + second * 1000,
});

const CASES: { name: string; events: readonly LiveEvent[]; after: number; golden: string }[] = [
  {
    name: 'before the plan',
    events: [{ kind: 'started', at: START }],
    after: 2,
    golden: `
sandbox: planning  0:02`,
  },
  {
    name: 'planned',
    events: PLANNED,
    after: 1,
    golden: `
sandbox: 0/5 done, 5 waiting   0:01, about 0:30 left
·  1 Core Infrastructure               waits for its turn
·  4 Authentication                    waits for vault
· 14 Frontend Applications             waits for identity-init, gitops`,
  },
  {
    name: 'at work',
    events: HALFWAY,
    after: 12,
    golden: `
sandbox: 1/5 done, 2 at work, 2 waiting   0:12, about 0:19 left
▸  1 Core Infrastructure               1/2
    ▸ gitops                     applying    0:11  nothing there yet
▸  4 Authentication                    0/2
    ▸ identity                   starting    0:03  pods, then its health check
    · identity-init              waiting           for identity
· 14 Frontend Applications             waits for identity-init, gitops`,
  },
  {
    name: 'something is tried again',
    after: 30,
    events: [
      ...HALFWAY,
      {
        kind: 'retry',
        id: '4/7',
        activity: 'awaitHealthy',
        phase: 4,
        attempt: 3,
        message: 'GET /api/v1/pods: connection refused',
      },
    ],
    golden: `
sandbox: 1/5 done, 2 at work, 2 waiting   0:30, about 0:08 left
  try 3 of awaitHealthy: GET /api/v1/pods: connection refused
▸  1 Core Infrastructure               1/2
    ▸ gitops                     applying    0:29  nothing there yet
▸  4 Authentication                    0/2
    ▸ identity                   starting    0:21  pods, then its health check
    · identity-init              waiting           for identity
· 14 Frontend Applications             waits for identity-init, gitops`,
  },
  {
    name: 'checks of the verification stage',
    after: 320,
    events: [
      ...FAILED,
      check(312, 'page', 'running'),
      check(312, 'size', 'running'),
      check(312, 'age', 'running'),
      check(313, 'page', 'passed', 'GET / 200'),
      check(315, 'size', 'failed', 'it is too\nbig'),
    ],
    golden: `
sandbox: 5/5 done   5:20
✔  1 Core Infrastructure               2/2
✘  4 Authentication                    0/2
    ✘ identity                   failed      5:01  identity in identity-ns was…
    - identity-init              skipped     0:00  identity, which it depends…
- 14 Frontend Applications             0/1
    - dashboard                  skipped     0:00  identity-init, which it dep…
✘    Verification: checks              1/3
    ✘ vault/size                 failed      0:03  it is too big
    ▸ vault/age                  running     0:08`,
  },
  {
    name: 'a plan that is tried again',
    after: 7,
    events: [
      ...PLANNED.slice(0, 1),
      { kind: 'retry', id: 'operation/1', activity: 'makePlan', attempt: 2, message: 'Vault: 403 permission denied' },
    ],
    golden: `
sandbox: planning  0:07
  try 2 of makePlan: Vault: 403 permission denied`,
  },
  {
    name: 'as earlier runs took',
    after: 12,
    events: [...HALFWAY, { kind: 'past', runs: PAST }],
    golden: `
sandbox: 1/5 done, 2 at work, 2 waiting   0:12, 0:22 left (0:18–0:26)
▸  1 Core Infrastructure               1/2
    ▸ gitops                     applying    0:11  nothing there yet
▸  4 Authentication                    0/2
    ▸ identity                   starting    0:03  pods, then its health check
    · identity-init              waiting           for identity
· 14 Frontend Applications             waits for identity-init, gitops`,
  },
  {
    name: 'a first deployment, as it turned out',
    after: 1,
    events: [...PLANNED, { kind: 'past', runs: [] }],
    golden: `
sandbox: 0/5 done, 5 waiting   0:01, about 0:30 left as declared
·  1 Core Infrastructure               waits for its turn
·  4 Authentication                    waits for vault
· 14 Frontend Applications             waits for identity-init, gitops`,
  },
  {
    name: 'longer than ever before',
    after: 62,
    events: [...HALFWAY, ended(12, 'gitops', 'healthy', 11), { kind: 'past', runs: PAST }],
    golden: `
sandbox: 2/5 done, 1 at work, 2 waiting   1:02, time left unknown
  identity takes longer than ever before: 0:53, the longest of 2 runs was 0:15
✔  1 Core Infrastructure               2/2
▸  4 Authentication                    0/2
    ▸ identity                   starting    0:53  pods, then its health check
    · identity-init              waiting           for identity
· 14 Frontend Applications             waits for identity-init`,
  },
  {
    name: 'a pod in trouble, and the service that is followed',
    after: 62,
    events: [
      ...HALFWAY,
      { kind: 'cause', id: '4/9/cause', release: 'identity', phase: 4, message: 'CrashLoopBackOff' },
      {
        kind: 'trouble-log',
        release: 'identity',
        lines: [said('identity-0', 'identity', 'no such \u001b[31mtable\u001b[2J')],
      },
      { kind: 'log', service: 'gitops', line: said('gitops-1', 'server', 'listens on 8080') },
    ],
    golden: `
sandbox: 1/5 done, 2 at work, 2 waiting   1:02, about 0:08 left
  identity waits: CrashLoopBackOff
▸  1 Core Infrastructure               1/2
    ▸ gitops                     applying    1:01  nothing there yet
▸  4 Authentication                    0/2
    ▸ identity                   starting    0:53  pods, then its health check
        identity-0/identity | no such table
    · identity-init              waiting           for identity
· 14 Frontend Applications             waits for identity-init, gitops
  gitops-1/server | listens on 8080`,
  },
  {
    name: 'a wait that has met something',
    after: 12,
    events: [
      ...HALFWAY,
      {
        kind: 'cause',
        id: '4/7/cause',
        phase: 4,
        release: 'identity',
        message: 'StatefulSet identity: exceeded quota',
      },
    ],
    golden: `
sandbox: 1/5 done, 2 at work, 2 waiting   0:12, about 0:19 left
  identity waits: StatefulSet identity: exceeded quota
▸  1 Core Infrastructure               1/2
    ▸ gitops                     applying    0:11  nothing there yet
▸  4 Authentication                    0/2
    ▸ identity                   starting    0:03  pods, then its health check
    · identity-init              waiting           for identity
· 14 Frontend Applications             waits for identity-init, gitops`,
  },
  {
    name: 'a step of a service',
    events: [...HALFWAY, progress(13, 'identity', 'applying', { detail: 'identity-schema: chart changed' })],
    after: 14,
    golden: `
sandbox: 1/5 done, 2 at work, 2 waiting   0:14, about 0:17 left
▸  1 Core Infrastructure               1/2
    ▸ gitops                     applying    0:13  nothing there yet
▸  4 Authentication                    0/2
    ▸ identity                   applying    0:05  identity-schema: chart chan…
    · identity-init              waiting           for identity
· 14 Frontend Applications             waits for identity-init, gitops`,
  },
  {
    name: 'failed',
    events: FAILED,
    after: 310,
    golden: `
sandbox: 5/5 done   5:10
✔  1 Core Infrastructure               2/2
✘  4 Authentication                    0/2
    ✘ identity                   failed      5:01  identity in identity-ns was…
    - identity-init              skipped     0:00  identity, which it depends…
- 14 Frontend Applications             0/1
    - dashboard                  skipped     0:00  identity-init, which it dep…`,
  },
  {
    name: 'cancelled',
    events: [
      ...HALFWAY,
      ended(15, 'gitops', 'healthy', 14),
      ended(15, 'identity', 'cancelled', 6),
      ended(15, 'identity-init', 'cancelled', 0),
      ended(15, 'dashboard', 'cancelled', 0),
    ],
    after: 15,
    golden: `
sandbox: 5/5 done   0:15
✔  1 Core Infrastructure               2/2
-  4 Authentication                    0/2
    ■ identity                   cancelled   0:06
    ■ identity-init              cancelled   0:00
- 14 Frontend Applications             0/1
    ■ dashboard                  cancelled   0:00`,
  },
];

describe('tree at 80 columns', () => {
  for (const { name, events, after, golden } of CASES) {
    test(name, () => assert.equal(`\n${draw(events, after).join('\n')}`, golden));
  }
});

describe('a low terminal', () => {
  test('7 rows: waiting services are folded first', () => {
    assert.deepEqual(draw(HALFWAY, 12, { rows: 7 }).slice(1), [
      '▸  1 Core Infrastructure               1/2',
      '    ▸ gitops                     applying    0:11  nothing there yet',
      '▸  4 Authentication                    0/2',
      '    ▸ identity                   starting    0:03  pods, then its health check',
      '· 14 Frontend Applications             waits for identity-init, gitops',
    ]);
  });
  test('4 rows: what is at work stays', () => {
    assert.deepEqual(draw(HALFWAY, 12, { rows: 4 }).slice(1), [
      '    ▸ gitops                     applying    0:11  nothing there yet',
      '    ▸ identity                   starting    0:03  pods, then its health check',
    ]);
  });
  test('whatever its size, nothing wraps and nothing scrolls', () => {
    for (let columns = 10; columns <= 120; columns += 11) {
      for (let rows = 2; rows <= 30; rows += 3) {
        for (const { events, after } of CASES) {
          const lines = draw(events, after, { columns, rows });
          assert.ok(lines.length < rows, `${lines.length} lines in ${rows} rows`);
          for (const line of lines)
            assert.ok(line.length < columns, `${line.length} characters in ${columns} columns: ${line}`);
        }
      }
    }
  });
});

test('5,000 services: what is at work stays, within the rows', () => {
  const graph = Object.fromEntries(
    Array.from({ length: 5000 }, (_, index) => [
      `service-${index}`,
      { phase: 1 + (index % 10), dependsOn: index < 10 ? [] : [`service-${index - 10}`] },
    ]),
  );
  const plan: LiveEvent = { kind: 'plan', plan: planOf(graph), at: START };
  const lines = draw([plan, progress(1, 'service-4321', 'applying')], 5, { rows: 30 });
  assert.ok(lines.length < 30, `${lines.length} lines`);
  assert.match(lines[0] ?? '', /0\/5000 done, 1 at work, 4999 waiting/);
  assert.ok(lines.some((line) => /▸ service-4321 +applying/.test(line)));
});

test('colours add nothing but colour', () => {
  const options = { environment: 'sandbox', now: START + 12_000, columns: 80, rows: 24 };
  const coloured = treeLines(fold(HALFWAY), { ...options, style: colourStyle });
  assert.deepEqual(
    coloured.map((line) => line.replace(/\u001b\[\d+m/g, '')),
    draw(HALFWAY, 12),
  );
  assert.ok(coloured.some((line) => line.includes('\u001b[')));
});
