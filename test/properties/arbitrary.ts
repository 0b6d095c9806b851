/** Values that properties are tried with: graphs, objects as Kubernetes has them, texts that YAML stumbles over. */
import fc from 'fast-check';

/**
 * The same each time, so that what fails has a change as its cause. `PROPERTY_SEED` and `PROPERTY_RUNS` look further.
 */
const { PROPERTY_SEED, PROPERTY_RUNS } = process.env;
export const RUNS = Number(PROPERTY_RUNS ?? 100);
fc.configureGlobal({ seed: Number(PROPERTY_SEED ?? 1), numRuns: RUNS });

/** Acyclic: each depends on some of those before it. They come in any order. */
export const graphs = (most = 9): fc.Arbitrary<{ name: string; dependsOn: string[] }[]> =>
  fc
    .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: most })
    .map((all) =>
      all.map((picks, at) => ({
        name: `s${at}`,
        dependsOn: at === 0 ? [] : [...new Set(picks.map((pick) => `s${pick % at}`))],
      })),
    )
    .chain((services) => fc.shuffledSubarray(services, { minLength: services.length, maxLength: services.length }));

/** What one or the other reader of YAML takes for something else. */
const STUMBLING = [
  ...['on', 'no', 'y', 'N', 'null', '~', '', ' ', '0755', '0o17', '1_000', '12:30:45', '1e3', '.inf', '0x1F', '+1'],
  ...[
    '=',
    '<<',
    '- a',
    'a: b',
    '#',
    '!tag',
    '&a',
    '*a',
    '|',
    '>',
    '%',
    '@',
    '`',
    '2026-11-30',
    '\u2028',
    '\uFEFF',
    'a\n',
  ],
  ...['\t', '\r\n', '"', "'", '\\', '{{ .Values }}', '${x}', '---', '...', 'true', 'False', '123', '-0', '\u0085'],
];
export const texts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...STUMBLING),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }).filter((text) => text.isWellFormed()),
);

/** Names of fields, some of which JavaScript has a meaning for. */
export const keys: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('spec', 'name', 'image', 'replicas', 'env', 'a.b/c', 'x-y', 'kind') },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length') },
);

export const scalars = fc.oneof(texts, fc.integer(), fc.boolean());

/** Trees without `null` and without empty parts, which count as absent. */
export const trees: fc.Arbitrary<Record<string, unknown>> = fc.letrec<{
  tree: Record<string, unknown>;
  value: unknown;
}>((tie) => ({
  tree: fc.dictionary(keys, tie('value'), { minKeys: 1, maxKeys: 4, depthIdentifier: 'tree', noNullPrototype: true }),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true, depthIdentifier: 'tree' },
    scalars,
    tie('tree'),
    fc.array(tie('value'), { minLength: 1, maxLength: 3, depthIdentifier: 'tree' }),
  ),
})).tree;
