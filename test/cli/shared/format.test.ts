import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkImages, collectImage, parseDuration } from '../../../src/cli/shared/arguments.ts';
import { clock, duration, oneLine, shellWord, table, truncate, wrap } from '../../../src/cli/shared/format.ts';

describe('numbers and widths', () => {
  for (const [seconds, text] of [
    [0, '0:00'],
    [7.9, '0:07'],
    [65, '1:05'],
    [3725, '1:02:05'],
    [-3, '0:00'],
  ] as const) {
    test(`clock ${seconds}`, () => assert.equal(clock(seconds), text));
  }
  for (const [seconds, text] of [
    [4.25, '4.3 s'],
    [31.6, '32 s'],
    [119, '119 s'],
    [200, '3 min 20 s'],
    [240, '4 min'],
    [7500, '2 h 5 min'],
  ] as const) {
    test(`duration ${seconds}`, () => assert.equal(duration(seconds), text));
  }
  test('truncate marks what it cuts', () => {
    assert.equal(truncate('abcdef', 6), 'abcdef');
    assert.equal(truncate('abcdef', 5), 'abcd…');
    assert.equal(truncate('abc def', 5), 'abc…');
  });
  test('oneLine takes out what moves cursors, breaks lines or is wide', () => {
    assert.equal(oneLine('a\n  b\u001b[31mred\u001b[0m\t✅ c'), 'a bred ? c');
  });
  test('wrap keeps words whole', () => {
    assert.deepEqual(wrap('one two three_is_very_long four', 9), ['one two', 'three_is_very_long', 'four']);
  });
  test('table pads all columns but the last', () => {
    assert.deepEqual(
      table([
        ['a', 'bb', 'c'],
        ['aaa', 'b', ''],
      ]),
      ['a    bb  c', 'aaa  b'],
    );
  });
  test('shellWord quotes only where it must', () => {
    assert.equal(shellWord('/a/b-c.d'), '/a/b-c.d');
    assert.equal(shellWord("it's here"), `'it'\\''s here'`);
  });
});

describe('arguments', () => {
  for (const [text, seconds] of [
    ['90s', 90],
    ['15m', 900],
    ['1h30m', 5400],
    ['2h', 7200],
    ['1h0m5s', 3605],
  ] as const) {
    test(`duration ${text}`, () => assert.equal(parseDuration(text), seconds));
  }
  for (const text of ['', '0s', '15', '15 minutes', '-5m', '5m1h', '1.5h']) {
    test(`no duration: "${text}"`, () =>
      assert.throws(() => parseDuration(text), /is not a duration: expected hours, minutes and seconds/));
  }
  test('a number alone is told that its unit is missing', () =>
    assert.throws(() => parseDuration('15'), /The unit is missing: 15s or 15m\?/));

  test('images add up', () => {
    assert.deepEqual(collectImage('b=2', collectImage('a=1.0-rc.1')), { a: '1.0-rc.1', b: '2' });
  });
  for (const [text, says] of [
    ['reports-api', /is not SERVICE=TAG/],
    ['=1', /is not SERVICE=TAG/],
    ['a=', /is not SERVICE=TAG/],
    ['a=b/c:1', /is not an image tag/],
  ] as const) {
    test(`no image: ${text}`, () => assert.throws(() => collectImage(text), says));
  }
  test('one service cannot have two tags', () => assert.throws(() => collectImage('a=2', { a: '1' }), /given twice/));
  test('an unknown service is refused with the nearest name', () => {
    assert.throws(
      () => checkImages({ 'reports-ap': '1' }, ['reports-api', 'web']),
      /there is no service "reports-ap", did you mean "reports-api"\?/,
    );
  });
});
