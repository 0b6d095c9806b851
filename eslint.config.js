/**
 * What can be said of one file without its types: the direction in which data flows, and the language's pitfalls. What
 * needs types (floating promises, unsafe values) is oxlint's, which asks the native compiler: .oxlintrc.json.
 *   catalog, environment → plan → workflows → activities → effects → clients; src/cli and bootstrap stand on top.
 */
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

const CODE = ['src/**/*.ts', 'bootstrap/**/*.ts', 'scripts/**/*.ts', 'platforms/**/*.ts'];

/** Import patterns by what they reach. */
const TEMPORAL = { group: ['@temporalio/*'], message: 'This folder knows nothing of Temporal.' };
const CLUSTER = {
  group: ['@kubernetes/*', 'node-vault', 'execa'],
  message: 'This folder knows nothing of Kubernetes, Vault or Helm.',
};
const TOP = {
  regex: '^(\\.\\./)+(cli|bootstrap)/',
  message: 'src/cli and bootstrap stand on top: nothing below imports them.',
};
const to = (folders, message) => ({ regex: `^(\\.\\./)+(${folders})(/|\\.ts$)`, message });
const typesOnly = (pattern) => ({ ...pattern, allowTypeImports: true });

/** One rule a folder; `no-restricted-imports` in its TypeScript form lets types pass where they may. */
const arrows = (files, ...patterns) => ({
  files,
  rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [...patterns, TOP] }] },
});

export default tseslint.config(
  { ignores: ['node_modules/', '.ananta/', 'helm/', '**/*.js', '**/*.mjs'] },
  ...tseslint.configs.strict,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/extensions': ['.ts'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      // Cycles are biome's: it sees those of types, too.
      'import-x/no-self-import': 'error',
      'import-x/no-duplicates': ['error', { 'prefer-inline': false }],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      eqeqeq: 'error',
      // What the formatter leaves alone: comments. Texts are not broken for the sake of a margin.
      'max-len': [
        'error',
        { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true, ignoreUrls: true },
      ],
      'no-console': 'off',
    },
  },
  {
    files: CODE,
    ignores: ['src/config.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'src/config.ts is the only reader of the process environment.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'VariableDeclarator[init.name="process"] Property[key.name="env"]',
          message: 'src/config.ts is the only reader of the process environment.',
        },
      ],
    },
  },
  arrows(
    ['src/contract/**/*.ts'],
    to('catalog|environment|plan|workflows|activities|effects|clients', 'The contract imports nobody.'),
  ),
  arrows(
    ['src/catalog/**/*.ts'],
    TEMPORAL,
    CLUSTER,
    to('environment|plan|workflows|activities|effects|clients', 'The catalog says what there is, not where or how.'),
  ),
  arrows(
    ['src/environment/**/*.ts'],
    TEMPORAL,
    CLUSTER,
    to('plan|workflows|activities|effects|clients', 'An environment is data: nothing of planning or doing.'),
  ),
  arrows(
    ['src/plan/**/*.ts'],
    TEMPORAL,
    CLUSTER,
    to('workflows|activities|effects|clients', 'Plans are made from data alone.'),
  ),
  arrows(
    ['src/clients/**/*.ts'],
    to('workflows|activities|effects', 'Clients talk to one system each and know nothing of who uses them.'),
  ),
  arrows(
    ['src/effects/**/*.ts'],
    TEMPORAL,
    to('clients/temporal', 'An effect knows nothing of Temporal: activities ask the engine.'),
    to('workflows|activities', 'Effects are what activities and commands call, never the other way round.'),
  ),
  arrows(['src/activities/**/*.ts'], to('workflows', 'Activities are called by workflows, never the other way round.')),
  arrows(
    ['src/workflows/**/*.ts'],
    {
      group: ['node:*', 'fs', 'path', 'os', 'child_process', 'crypto'],
      message: 'Workflow code runs in a sandbox without Node.',
    },
    {
      group: ['@temporalio/*', '!@temporalio/workflow', '!@temporalio/common'],
      message: 'Workflows know @temporalio/workflow and @temporalio/common only.',
    },
    CLUSTER,
    typesOnly(to('activities|effects', 'Workflows know activities by type only.')),
    typesOnly(to('catalog|environment|clients', 'Workflows get data as arguments and results of activities.')),
    to('config', 'Workflows read no configuration.'),
  ),
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
