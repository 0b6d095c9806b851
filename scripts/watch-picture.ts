/**
 * The full-screen view of an engine as a picture for the docs: the very cells of a terminal in which `ananta watch`
 * runs, after some keys.
 *
 *   node launcher.mjs --run scripts/watch-picture.ts [--env sandbox] [--keys enter,enter,down] [--shows waiting]
 *       [--out docs/images/watch.svg]
 *
 * `--shows` waits for a text on the last screen.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../src/config.ts';
import { KEYS, openPty } from '../test/support/programs/pty.ts';
import { screenSvg } from './screen-svg.ts';

const { values } = parseArgs({
  options: {
    env: { type: 'string', default: 'sandbox' },
    keys: { type: 'string', default: 'enter,enter' },
    shows: { type: 'string', default: 'done' },
    out: { type: 'string', default: 'docs/images/watch.svg' },
  },
});
const command = [process.execPath, '--disable-warning=ExperimentalWarning'];
const main = join(readConfig().repoRoot, 'src', 'cli', 'main.ts');
const pty = openPty([...command, main, 'watch', '--env', values.env], {
  columns: 80,
  rows: 25,
  env: readConfig().childEnv,
});
try {
  await pty.shows(/environment, .*\n/);
  for (const key of values.keys.split(',').filter((name) => name !== '')) {
    const before = pty.screen().join('\n');
    pty.type(Object.entries(KEYS).find(([name]) => name === key)?.[1] ?? key);
    // The next key belongs to the next screen.
    for (let waited = 0; pty.screen().join('\n') === before && waited < 100; waited += 1)
      await new Promise((resolve) => setTimeout(resolve, 30));
  }
  await pty.shows(new RegExp(values.shows));
  await writeFile(values.out, screenSvg(pty.cells().slice(0, -1), `ananta watch --env ${values.env}`));
  console.log(values.out);
} finally {
  pty.type('q');
  await pty.done;
}
