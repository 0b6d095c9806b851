import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LocalStackEvent } from '../../../bootstrap/report.ts';
import { createThinning, renderingLine, setupLine } from '../../../src/cli/render/setup.ts';

type Stage = Extract<LocalStackEvent, { kind: 'tool' }>['progress']['stage'];
const tool = (stage: Stage, more: { bytes?: number; total?: number; detail?: string } = {}): LocalStackEvent => ({
  kind: 'tool',
  progress: { tool: 'helm', version: '4.3.1', stage, elapsedSeconds: 3, ...more },
});

function printed(events: [atSeconds: number, event: LocalStackEvent][]): string[] {
  let now = 0;
  const worthPrinting = createThinning(() => now);
  return events.flatMap(([at, event]) => {
    now = at * 1000;
    const line = setupLine(event);
    return worthPrinting(line) ? [line.text] : [];
  });
}

test('a tool that is there already costs no line', () => {
  assert.deepEqual(
    printed([
      [0, tool('looking')],
      [0, tool('ready', { detail: 'in the cache' })],
    ]),
    [],
  );
});

test('a download is one line, seldom another, and one at its end', () => {
  const lines = printed([
    [0, tool('looking')],
    [0, tool('downloading', { bytes: 0, total: 18e6 })],
    [1, tool('downloading', { bytes: 1e6, total: 18e6 })],
    [16, tool('downloading', { bytes: 9e6, total: 18e6 })],
    [17, tool('downloading', { bytes: 10e6, total: 18e6 })],
    [20, tool('verifying')],
    [20, tool('ready')],
  ]);
  assert.deepEqual(lines, [
    'helm 4.3.1: downloading 0.0 of 18.0 MB',
    'helm 4.3.1: downloading 9.0 of 18.0 MB',
    'helm 4.3.1: ready',
  ]);
});

test('components: ready and died are lines, starting is not', () => {
  assert.deepEqual(
    printed([
      [0, { kind: 'component', component: 'vault', state: 'starting' }],
      [1, { kind: 'component', component: 'vault', state: 'ready', seconds: 1.24 }],
      [9, { kind: 'component', component: 'vault', state: 'died', detail: 'killed' }],
      [9, { kind: 'component', component: 'vault', state: 'starting' }],
      [10, { kind: 'component', component: 'vault', state: 'ready', seconds: 1 }],
      [11, { kind: 'note', message: 'A word.' }],
    ]),
    ['vault is ready after 1.2 s', 'vault has ended by itself: killed', 'vault is ready after 1.0 s', 'A word.'],
  );
});

test('a check of many charts says now and then how far it is, one of few nothing', () => {
  const lines = (count: number, secondsEach: number): string[] => {
    let now = 0;
    const worthPrinting = createThinning(() => now);
    return Array.from({ length: count }, (_, index) => {
      now += secondsEach * 1000;
      const line = renderingLine(index + 1, count);
      return worthPrinting(line) ? [line.text] : [];
    }).flat();
  };
  assert.deepEqual(lines(48, 0.1), []);
  assert.deepEqual(lines(1000, 0.05), [
    'charts are rendered: 301 of 1,000',
    'charts are rendered: 601 of 1,000',
    'charts are rendered: 901 of 1,000',
  ]);
  assert.equal(renderingLine(999, 1000).state, 'busy');
  assert.equal(renderingLine(1000, 1000).state, 'done');
});
