/**
 * Gets all that the tests need of programs and images, so that what must be compiled is compiled with one set of caches:
 * `node launcher.mjs --run test/prepare.ts [tools|images]`, without a word both, tools first. Without it every tier gets its own,
 * which takes longer on a machine that has nothing yet.
 */
import { nodeRequirements } from '../bootstrap/index.ts';
import { acquireTools, formatProgress, removeGoCaches } from '../bootstrap/tools/index.ts';
import { readConfig } from '../src/config.ts';
import { buildImages, RECIPES } from './images/index.ts';
import { registryProgram } from './support/oci-registry.ts';
import { temporalServerProgram } from './support/temporal-server.ts';
import { nodeToolNames, toolNames } from './support/tools.ts';

const [only] = process.argv.slice(2);
if (only !== undefined && only !== 'tools' && only !== 'images') throw new Error(`"${only}" is neither tools nor images`);
const config = readConfig();
const started = performance.now();
const say = (line: string): void => { console.log(`${((performance.now() - started) / 1000).toFixed(0)} s  ${line}`); };

const real = (await nodeRequirements()).every(({ ok }) => ok);

async function prepareTools(): Promise<void> {
  const tools = acquireTools({
    names: real ? [...toolNames, ...nodeToolNames] : toolNames, cacheDir: config.cacheDir, env: config.childEnv, keepCaches: true,
    ...(config.toolsMirror === undefined ? {} : { mirror: config.toolsMirror }),
    onProgress: (event) => { const line = formatProgress(event); if (line) say(line); },
  });
  await tools.all();
  say('tools are there');
  await registryProgram();
  await temporalServerProgram();
}

async function prepareImages(): Promise<void> {
  if (real) say(`images are there: ${(await buildImages(config, RECIPES, say)).archive}`);
}

let done = false;
try {
  if (only !== 'images') await prepareTools();
  if (only !== 'tools') await prepareImages();
  done = true;
} finally {
  // Images are made with what the tools have left.
  if (!done || only !== 'tools' || !real) await removeGoCaches(config.cacheDir);
}
