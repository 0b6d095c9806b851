import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PlatformChanges, ServiceAction, ServiceChange } from '../../../src/plan/diff/types.ts';
import { renderChangesDot } from '../../../src/plan/render/changes-dot.ts';
import { renderChangesSvg } from '../../../src/plan/render/svg.ts';
import { planLines } from '../../../src/cli/plan/text.ts';
import { plainStyle } from '../../../src/cli/shared/terminal.ts';

const service = (number: number, name: string, action: ServiceAction, dependsOn: string[] = []): ServiceChange => ({
  number,
  phase: 1,
  name,
  namespace: 'apps',
  dependsOn,
  action,
  reason: 'a "reason" <b>',
  expectedSeconds: action === 'skip' ? 0 : 2,
  expectedFrom: 'declared',
  releases: [
    {
      name,
      namespace: 'apps',
      kind: 'release',
      action: action === 'skip' ? 'unchanged' : 'upgrade',
      reason: 'x',
      digest: '0123456789abcdef',
      objects:
        action === 'skip'
          ? []
          : [
              { action: 'update', kind: 'Service', name, fields: [{ path: 'spec.a', from: '1', to: '2' }] },
              { action: 'update', kind: 'Deployment', name, fields: [{ path: 'spec.a', from: '1', to: '2' }] },
              {
                action: 'update',
                kind: 'StatefulSet',
                name,
                fields: [{ path: 'spec.b', to: 'x'.repeat(300) }],
                blocked: 'the API server refuses it',
              },
            ],
    },
  ],
});
const changes: PlatformChanges = {
  environment: 'a<b>&"c',
  clusterUid: '0123456789',
  digest: '0123456789abcdef',
  changes: true,
  simulated: false,
  notes: [],
  prerequisites: [{ action: 'create', what: 'Namespace apps', why: 'not there yet' }],
  services: [
    service(1, 'db', 'upgrade'),
    service(2, 'api', 'skip', ['db']),
    service(3, 'web', 'create', ['api', 'db']),
  ],
  orphans: [{ name: 'old', namespace: 'apps', revision: 2 }],
  expected: { seconds: 4, path: ['db', 'web'], touched: 2, measured: 0 },
  phases: [{ number: 1, title: 'One' }],
};

describe('a plan as a picture', () => {
  test('shows every service by its action, orphans, the longest path and what the colours mean', () => {
    const dot = renderChangesDot(changes);
    assert.match(dot, /"db" \[label="1 {2}db\\nupgrade, 2\.0 s"/);
    assert.match(dot, /"api" \[label="2 {2}api\\nas wanted"/);
    assert.match(dot, /"orphan apps\/old" \[label="old\\nnot in the catalog"/);
    assert.match(dot, /"db" -> "web" \[color="#c2255c"/, 'drawn although api implies it');
    assert.match(dot, />1 upgrade<.*>1 create<|>1 create<.*>1 upgrade</);
  });

  test('takes names for text, whatever they hold', async () => {
    const svg = await renderChangesSvg(changes);
    assert.match(svg, /a&lt;b&gt;&amp;&quot;c|a&lt;b&gt;&amp;"c/);
    assert.doesNotMatch(svg, /<b>/);
  });
});

describe('a plan as text', () => {
  const lines = planLines(changes, { columns: 80, style: plainStyle, deployArgs: ['--image', 'web=1'] });
  test('fits 80 columns', () => {
    assert.deepEqual(
      lines.filter((line) => line.length > 80 && !line.startsWith('Next:')),
      [],
    );
  });
  test('says once what happens to several objects, and where a deployment would stop', () => {
    const text = lines.join('\n');
    assert.match(text, /~ {3}Service db, Deployment db\n {10}spec\.a: 1 → 2\n/);
    assert.match(text, /A deployment would stop here: the API server refuses it/);
    assert.match(text, /A deployment would stop at: db, web\./);
    assert.match(text, /\+ {3}1 namespace: apps/);
    assert.match(text, /! {3}release old \(apps\), revision 2: left as it is/);
    assert.match(text, /3 services: 1 to create, 1 to upgrade, 1 as wanted\./);
    assert.match(text, /Next: npm run ananta -- deploy --env .* --image web=1$/);
  });
});
