/** Frames of text as one animated picture. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { animatedSvg } from '../../scripts/animated-svg.ts';

const options = { columns: 40, speed: 2, restSeconds: 3, title: 'A "deployment"' };
const line = (text: string, tone = 'busy') => ({ text, tone });

test('a line that stays the same is drawn once, for as long as it stays', () => {
  const svg = animatedSvg(
    [
      { at: 0, lines: [line('head'), line('one')] },
      { at: 2, lines: [line('head'), line('two')] },
      { at: 3, lines: [line('head'), line('two', 'good')] },
      { at: 4, lines: [line('head'), line('two', 'good')] },
    ],
    options,
  );
  assert.equal(svg.match(/>head</g)?.length, 1);
  assert.match(
    svg,
    /visibility="hidden">one<set attributeName="visibility" to="visible" begin="loop.begin\+0.01s" dur="1s"/,
  );
  assert.match(svg, /class="busy"[^>]*visibility="hidden">two<set [^>]*begin="loop.begin\+1s" dur="0.5s"/);
});

test('what the last frame shows is visible where nothing moves', () => {
  const svg = animatedSvg(
    [
      { at: 0, lines: [line('one')] },
      { at: 2, lines: [line('end', 'good')] },
    ],
    options,
  );
  assert.match(svg, /<text class="good"[^>]*y="[\d.]+">end<set attributeName="visibility" to="hidden"/);
  assert.match(svg, /dur="4s" begin="0s;loop.end"/);
});

test('text is escaped, and no address outside is in it', () => {
  const svg = animatedSvg([{ at: 0, lines: [line('<b> & "x"')] }], options);
  assert.ok(svg.includes('&lt;b&gt; &amp; &quot;x&quot;'));
  assert.ok(svg.includes('aria-label="A &quot;deployment&quot;"'));
  assert.deepEqual([...svg.matchAll(/https?:\/\/[^"]+/g)].map(String), ['http://www.w3.org/2000/svg']);
});
