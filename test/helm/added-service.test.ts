/**
 * A service is added to each platform, and a platform of one's own made, by doing what the pages say with the very text
 * of their examples: into a copy of the checkout, whose golden files, tests and plans are then as promised.
 */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { type Config, readConfig } from '../../src/config.ts';
import { EXIT_CODES } from '../../src/contract/failures.ts';
import { copyOfCheckout } from '../support/checkout.ts';
import { commandInProcess } from '../support/programs/command.ts';

let config: Config;
let checkout: string;
before(async () => {
  checkout = await copyOfCheckout(join(await mkdtemp(join(tmpdir(), 'ananta-pages-')), 'checkout'), [
    'README.md',
    'CONTRIBUTING.md',
    'docs',
    'scripts',
    'test',
  ]);
  config = {
    ...readConfig(),
    repoRoot: checkout,
    stateRoot: join(checkout, '.ananta'),
    environmentsDir: join(checkout, 'environments'),
  };
});
after(() => rm(dirname(checkout), { recursive: true, force: true }));

const page = (name: string): Promise<string> => readFile(join(checkout, 'docs', name), 'utf8');
const write = async (file: string, content: string): Promise<void> => {
  await mkdir(dirname(join(checkout, file)), { recursive: true });
  await writeFile(join(checkout, file), content);
};

/** Examples of a page in one language, without the indentation of the list that they stand in. */
function examples(markdown: string, language: string): string[] {
  const fences = new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm');
  return [...markdown.matchAll(fences)].map(([, indent = '', text = '']) =>
    text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

/** Before the end of the list that begins with `list`. */
async function addTo(file: string, list: string, entry: string): Promise<void> {
  const text = await readFile(join(checkout, file), 'utf8');
  const end = text.indexOf('\n];', text.indexOf(`export const ${list}`)) + 1;
  assert.ok(end > 0, `${file} has no ${list}`);
  await write(file, text.slice(0, end) + entry + text.slice(end));
}

/** Runs in a process of its own, since the code is that of the copy. @returns its output */
const run = async (args: readonly string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await execa(process.execPath, args, {
    cwd: checkout,
    // A test that is started by another one would do nothing.
    env: { NODE_TEST_CONTEXT: undefined },
    reject: false,
  });
  assert.equal(exitCode, EXIT_CODES.done, `${args.join(' ')}\n${(stdout + stderr).slice(-3_000)}`);
  return stdout;
};
const plan = async (environment: string): Promise<string> => {
  const { code, stdout, stderr } = await commandInProcess(config, ['plan', '--env', environment]);
  assert.equal(code, EXIT_CODES.changes, stderr);
  return stdout;
};

describe('by the words of the pages', { concurrency: 1 }, () => {
  test('the Ananta Platform gets one service more: a row, a path, values, one command, and no test has to learn', async () => {
    const text = await page('do/add-a-service.md');
    const [row, path] = examples(text, 'ts');
    const [values] = examples(text, 'yaml');
    const [, number, name] = /number: (\d+),[^]*?name: '([a-z-]+)'/.exec(row!)!;
    for (const words of ['src/catalog/services/app-plane.ts', 'appPlaneFrontends', 'SECRET_PATHS', 'npm run goldens'])
      assert.ok(text.includes(words), words);

    await addTo('src/catalog/services/app-plane.ts', 'appPlaneFrontends', row!);
    await addTo('src/catalog/secrets.ts', 'SECRET_PATHS', path!);
    await write(`helm/values/${name}.yaml`, values!);
    assert.match(await run(['launcher.mjs', 'catalog']), new RegExp(`^${number} +${name} `, 'm'));

    await run(['launcher.mjs', '--run', 'scripts/goldens.ts']);
    assert.match(await readFile(join(checkout, 'test', 'golden', 'helm', `${name}.yaml`), 'utf8'), /kind: Deployment/);
    assert.match(await page('understand/secrets.md'), new RegExp(`^\\| .*app-plane/${name}`, 'm'));
    // Those that compare the catalog with something.
    const tests = globSync(['test/catalog/*.test.ts', 'test/images/standin/*.test.ts', 'test/cli/documented.test.ts'], {
      cwd: checkout,
    });
    const said = await run(['--test', '--test-isolation=none', '--test-reporter=dot', ...tests]);
    assert.match(said, /^\.{20}/);
  });

  test('somebody makes a platform of his own: a description, values, an environment', async () => {
    const [description, values, environment] = examples(await page('learn/bring-your-own-platform.md'), 'yaml');
    await write('platforms/shop/platform.yaml', description!);
    await write('platforms/shop/helm/values/shop-api.yaml', values!);
    await write('environments/shop.yaml', environment!);
    assert.match(await plan('shop'), /\+ +shop-api \(shop\): not there yet[^]*^2 services: 2 to create\.$/m);
  });

  test('mini gets one more: a row with a number behind all others, and values', async () => {
    const file = 'platforms/mini/platform.yaml';
    const rows = (await readFile(join(checkout, file), 'utf8')).split(/^(?= {2}- number: )/m);
    // What stands before the first row is none.
    const number = rows.length;
    const row = rows
      .find((text) => text.includes('name: admin\n'))!
      .replace(/number: \d+/, `number: ${number}`)
      .replaceAll('admin', 'reports');
    await appendFile(join(checkout, file), `\n${row.trimEnd()}\n`);
    await write(
      'platforms/mini/helm/values/reports.yaml',
      await readFile(join(checkout, 'platforms/mini/helm/values/admin.yaml'), 'utf8'),
    );
    assert.match(
      await plan('mini'),
      new RegExp(`\\+ +reports \\(apps\\): not there yet[^]*^${number} services: ${number} to create\\.$`, 'm'),
    );
  });

  test('wide gets one more: a number', async () => {
    const example = examples(await page('learn/bring-your-own-platform.md'), 'yaml').at(-1)!;
    assert.match(example, /^platform: wide$/m);
    for (const services of [4, 5]) {
      const changed = example.replace(/services: \d+, layers: \d+/, `services: ${services}, layers: 2`);
      assert.notEqual(changed, example);
      await write('environments/many.yaml', stringify({ extends: 'sandbox', description: 'Many' }) + changed);
      assert.match(await plan('many'), new RegExp(`^${services + 1} services: ${services + 1} to create\\.$`, 'm'));
    }
  });
});
