import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { helmText, helmValues, kubernetesDocuments, kubernetesText } from '../../../src/plan/inputs/kubernetes-yaml.ts';

test('numbers are read as Helm reads them', () => {
  const [first, second] = kubernetesDocuments(
    'mode: 0755\nother: 0o17\nplain: 10\nzero: 0\nnine: 089\ntext: "0755"\ntime: 10:30\n---\nmode: 0550\n',
  ).map((document) => document.toJS() as unknown);
  assert.deepEqual(first, { mode: 0o755, other: 0o17, plain: 10, zero: 0, nine: 89, text: '0755', time: '10:30' });
  assert.deepEqual(second, { mode: 0o550 });
});

/** Words that one version of YAML or another takes for something else than text. */
const TRAPS = [
  'on',
  'On',
  'off',
  'yes',
  'no',
  'y',
  'n',
  'Y',
  'true',
  'False',
  'null',
  '~',
  '',
  '1_000',
  '0x1F',
  '0b11',
  '0o17',
  '012',
  '0400',
  '089',
  '1e3',
  '1E3',
  '.5',
  '1.',
  '-1',
  '+1',
  '12:30:00',
  '190:20:30',
  '2026-01-01',
  '2026-01-01T00:00:00Z',
  '.inf',
  '.NaN',
  '<<',
  '=',
  '- a',
  '# a',
  'a: b',
  ' a ',
  'a\nb',
  '"',
  "'",
  '{{',
  '!x',
  '&x',
  '*x',
  '%x',
  '@x',
  '`',
  '\u0085',
  'é',
];

describe('text stays text', () => {
  test('from a file that quotes it to what Helm is given, and back', () => {
    const file = TRAPS.map((text, at) => `k${at}: ${JSON.stringify(text)}\n`).join('');
    const values = helmValues(file) as Record<string, unknown>;
    assert.deepEqual(Object.values(values), TRAPS);
    assert.deepEqual(Object.values(helmValues(helmText(values)) as object), TRAPS);
  });

  test('as a key, quoted or not', () => {
    const keys = ['y', 'N', 'on', 'NO', '012', '1_000', 'null', 'true', '1.5'];
    assert.deepEqual(
      Object.keys(helmValues(keys.map((key) => `${key}: x\n`).join('')) as object),
      keys.toSorted((a, b) => keys.indexOf(a) - keys.indexOf(b)),
    );
    assert.deepEqual(Object.keys(JSON.parse(helmText(helmValues('env: {N: "1", on: "2"}'))).env as object), [
      'N',
      'on',
    ]);
  });

  test('in what people hand to kubectl', () => {
    const [object] = kubernetesDocuments(kubernetesText({ list: TRAPS })).map(
      (document) => document.toJS() as { list: string[] },
    );
    assert.deepEqual(object?.list, TRAPS);
  });
});

describe('what is not quoted means what it means to Helm', () => {
  for (const [text, value] of [
    ['0400', 256],
    ['-0400', -256],
    ['0o400', 256],
    ['0x1F', 31],
    ['0b101', 5],
    ['1_000', 1000],
    ['1_000.5', 1000.5],
    ['1e3', 1000],
    ['089', 89],
    ['on', true],
    ['Off', false],
    ['yes', true],
    ['n', false],
    ['true', true],
    ['~', null],
    ['', null],
    ['12:30:00', '12:30:00'],
    ['2026-01-01', '2026-01-01'],
    ['1.2.3', '1.2.3'],
    ['7.2', 7.2],
    ['oN', 'oN'],
    ['_1', '_1'],
  ] as const)
    test(text === '' ? '(nothing)' : text, () => {
      assert.deepEqual(helmValues(`a: ${text}`), { a: value });
      assert.deepEqual(kubernetesDocuments(`a: ${text}`)[0]?.toJS(), { a: value });
    });

  test('anchors and merge keys', () => {
    assert.deepEqual(helmValues('base: &b {a: 1, c: 0400}\nover: {<<: *b, a: 2}\nlist: [*b]\n'), {
      base: { a: 1, c: 256 },
      over: { a: 2, c: 256 },
      list: [{ a: 1, c: 256 }],
    });
  });

  test('a file that is no YAML is refused with its line', () => {
    assert.throws(() => helmValues('a: 1\na: 2\n'), /unique.*line 2/s);
  });
});
