/** A terminal's screen as a picture. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { screenSvg } from '../../scripts/screen-svg.ts';

const cells = (text: string, look: object = {}) =>
  Array.from(text, (one) => ({ text: one, bold: false, dim: false, inverse: false, colour: undefined, ...look }));

test('cells that look the same are one text, at its place; what is chosen has a ground', () => {
  const svg = screenSvg(
    [[...cells('a<b', { colour: 12 }), ...cells('  '), ...cells('x', { inverse: true })]],
    'A "view"',
  );
  assert.match(svg, /aria-label="A &quot;view&quot;"/);
  assert.match(svg, /<text x="14.00" [^>]*fill="#79c0ff">a&lt;b<\/text>/);
  assert.match(svg, /<rect x="53.15" [^>]*fill="#c9d1d9"\/>\n<text x="53.15" [^>]*fill="#0d1117">x<\/text>/);
  assert.equal(svg.match(/<text/g)?.length, 2);
});
