/** The real program where it succeeds without anything running. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { EXIT_CODES } from '../../src/contract/failures.ts';
import { wholeMini } from '../support/mini.ts';
import { type Workspace, workspace } from './run-cli.ts';

const COMMANDS = [
  'deploy',
  'plan',
  'attach',
  'cancel',
  'history',
  'audit',
  'diff',
  'rollback',
  'destroy',
  'status',
  'verify',
  'catalog',
  'graph',
  'drift',
  'doctor',
  'logs',
  'secrets',
  'up',
  'down',
  'worker',
];
const docs = readFile(new URL('../../docs/look-up/cli.md', import.meta.url), 'utf8');

describe('program', { concurrency: 2 }, () => {
  let at: Workspace;
  before(async () => (at = await workspace()));
  after(() => at.remove());

  for (const args of [[], ['--help'], ['-h']]) {
    test(`help: ananta ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await at.run(args);
      assert.equal(code, 0);
      assert.equal(stderr, '');
      for (const command of COMMANDS) assert.match(stdout, new RegExp(`^  ${command} `, 'm'));
    });
  }

  for (const command of [
    ...COMMANDS.filter((name) => name !== 'secrets' && name !== 'drift'),
    ...['show', 'runs', 'run', 'accept', 'unaccept', 'accepted', 'reset', 'schedule', 'pause', 'resume'].map(
      (name) => `drift ${name}`,
    ),
    'secrets list',
    'secrets set',
    'secrets get',
    'secrets import',
  ]) {
    test(`help of ${command}: an environment and an example`, async () => {
      const { code, stdout } = await at.run([...command.split(' '), '--help']);
      assert.equal(code, 0);
      assert.match(stdout, /--env <name>/);
      assert.match(stdout, new RegExp(`Examples?:\n  npm run ananta -- ${command}`));
      for (const line of stdout.split('Example')[0]?.split('\n') ?? []) assert.ok(line.length <= 80, line);
    });
  }

  test('version', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    assert.deepEqual(await at.start(['--version']).done, { code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('catalog --json is an array of all services with what programs need', async () => {
    const { code, stdout } = await at.run(['catalog', '--json', '--env', 'mini']);
    const rows = JSON.parse(stdout) as Record<string, unknown>[];
    assert.equal(code, 0);
    assert.deepEqual(
      rows.map(({ number }) => number),
      (await wholeMini()).services.map(({ number }) => number),
    );
    for (const row of rows)
      for (const key of [
        'number',
        'phase',
        'name',
        'namespace',
        'module',
        'chart',
        'kind',
        'dependsOn',
        'health',
        'ports',
        'secrets',
      ])
        assert.ok(key in row, key);
  });

  test('catalog as text names all services', async () => {
    const { stdout } = await at.run(['catalog', '--env', 'mini']);
    for (const name of ['operator', 'database', 'admin']) assert.match(stdout, new RegExp(`\\b${name}\\b`));
  });

  test('graph in all formats, to standard output and to a file', async () => {
    assert.match((await at.run(['graph'])).stdout, /^---\n[^]*flowchart LR/);
    assert.match((await at.run(['graph', '--format', 'dot'])).stdout, /^digraph/);
    const out = join(at.folder, 'platform.svg');
    const { code, stdout, stderr } = await at.run(['graph', '--env', 'mini', '--format', 'svg', '--out', out]);
    assert.deepEqual([code, stdout, stderr], [0, '', `Written: ${out}\n`]);
    assert.match(await readFile(out, 'utf8'), /<svg[^]*operator[^]*<\/svg>/);
  });

  test('no file is left anywhere', async () => assert.deepEqual(await at.state(), []));
});

describe('docs/look-up/cli.md', () => {
  test("the exit code table is the program's", async () => {
    const rows = [...(await docs).matchAll(/^\| (\d) \| (\w+) \|/gm)].map(([, code, name]) => [name, Number(code)]);
    assert.deepEqual(rows, Object.entries(EXIT_CODES));
  });
  test('every command is explained', async () => {
    for (const command of COMMANDS) assert.match(await docs, new RegExp(`^\\| \\[\`${command}\`\\]`, 'm'));
  });
});
