import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { readConfig } from '../../src/config.ts';

const { repoRoot } = readConfig();
const instructions = readFileSync(join(repoRoot, 'Dockerfile'), 'utf8')
  .split('\n')
  .filter((line) => /^[A-Z]+ /.test(line));
const all = (name: string): string[] =>
  instructions.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1).trim());
const worker = parse(readFileSync(join(repoRoot, 'helm/values/deployer/deployer-worker.yaml'), 'utf8')) as {
  env: Record<string, string>;
  security: { user: number; group: number; readOnlyRoot: boolean };
};

describe('the container image', () => {
  test('has a base of an exact version, of the Node that the product asks for', () => {
    const [base] = all('ARG');
    assert.match(base!, /^NODE_IMAGE=docker\.io\/library\/node:24\.\d+\.\d+-[a-z]+-slim$/);
    assert.deepEqual([...new Set(all('FROM').map((line) => line.split(' ')[0]))], ['${NODE_IMAGE}', 'dependencies']);
  });

  test('fetches nothing by ADD', () => {
    assert.deepEqual(all('ADD'), []);
  });

  test('runs as a user without rights, the one that the chart expects', () => {
    const { user, group, readOnlyRoot } = worker.security;
    assert.deepEqual(all('USER'), [`${user}:${group}`]);
    assert.ok(user > 0);
    assert.equal(readOnlyRoot, true);
  });

  test('copies what is there, and nothing that .dockerignore keeps out', () => {
    const allowed = readFileSync(join(repoRoot, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = all('COPY')
      .filter((line) => !line.startsWith('--from='))
      .flatMap((line) => line.split(' ').slice(0, -1));
    assert.ok(sources.length > 5);
    for (const source of sources) {
      assert.ok(existsSync(join(repoRoot, source)), source);
      assert.ok(allowed.includes(source), `.dockerignore keeps ${source} out`);
    }
  });

  test('starts what exists, as process 1 that gets the signals', () => {
    const [entry] = all('ENTRYPOINT');
    const [program, ...args] = JSON.parse(entry!) as string[];
    assert.equal(program, 'node');
    assert.ok(existsSync(join(repoRoot, args.at(-1)!)));
  });

  test('writes only where the chart lets it', () => {
    const env = Object.fromEntries(
      all('ENV').flatMap((line) => line.split(' ').map((pair) => pair.split('=') as [string, string])),
    );
    for (const name of ['ANANTA_STATE_DIR', 'ANANTA_CACHE_DIR']) {
      assert.equal(env[name], worker.env[name]);
      assert.match(env[name]!, /^\/var\/lib\/ananta\//);
    }
  });
});
