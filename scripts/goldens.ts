/**
 * Writes anew what follows from catalog, charts and schema: what every release renders to, the tables of
 * docs/understand/secrets.md, the environments' JSON Schema. Read the difference before you commit it.
 *   npm run goldens
 */
import { join } from 'node:path';
import { execa } from 'execa';
import { readConfig } from '../src/config.ts';

const { repoRoot } = readConfig();
const run = (...args: string[]): Promise<unknown> =>
  execa(process.execPath, [join(repoRoot, 'launcher.mjs'), '--run', ...args], {
    cwd: repoRoot,
    stdio: 'inherit',
    env: { UPDATE_GOLDENS: '1' },
  });

await run('scripts/generate-schema.ts');
await run('scripts/generate-secret-tables.ts');
await run('test/run.ts', 'test/helm/render.test.ts');
