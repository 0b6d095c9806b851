/**
 * What the pinned API server says of its own kinds, as `env check` compares objects with it. Asked of a running
 * environment; a test compares the file with the API server of the tests.
 *
 *   node launcher.mjs --run scripts/kubernetes-schemas.ts --env sandbox
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { readConfig } from '../src/config.ts';
import { readRuntime } from '../src/environment/connections.ts';
import { SCHEMAS_FILE } from '../src/plan/objects/schemas.ts';
import { schemasText } from './schemas-text.ts';

const { values } = parseArgs({ options: { env: { type: 'string', default: 'sandbox' } } });
const config = readConfig();
const runtime = await readRuntime(config, values.env);
if (runtime?.cluster === undefined || runtime.tools['kubectl'] === undefined)
  throw new Error(`"${values.env}" does not run: npm run ananta -- up --env ${values.env}`);
const { kubectl } = runtime.tools;
const { kubeconfig } = runtime.cluster;
const ask = async (path: string): Promise<unknown> =>
  JSON.parse((await execa(kubectl, ['--kubeconfig', kubeconfig, 'get', '--raw', path])).stdout) as unknown;
await writeFile(SCHEMAS_FILE, await schemasText(ask));
console.log(SCHEMAS_FILE);
