/**
 * Gets all that the tests need of programs and images, so that what must be compiled is compiled with one set of
 * caches: `node launcher.mjs --run test/prepare.ts [tools|node]`, without a word both: first what every tier needs,
 * then what only a real node does. Without it every tier gets its own, which takes longer on a machine that has nothing
 * yet.
 */
import { nodeRequirements } from '../bootstrap/index.ts';
import { acquireTools, formatProgress, removeGoCaches, type ToolName } from '../bootstrap/tools/index.ts';
import { readConfig } from '../src/config.ts';
import { buildImages, DATABASE_RECIPES, RECIPES } from './images/index.ts';
import { registryProgram } from './support/charts/oci-registry.ts';
import { temporalServerProgram } from './support/temporal-server.ts';
import { nodeToolNames, toolNames } from './support/tools.ts';

const [only] = process.argv.slice(2);
if (only !== undefined && only !== 'tools' && only !== 'node') throw new Error(`"${only}" is neither tools nor node`);
const config = readConfig();
const started = performance.now();
const say = (line: string): void => {
  console.log(`${((performance.now() - started) / 1000).toFixed(0)} s  ${line}`);
};

async function acquire(names: readonly ToolName[]): Promise<void> {
  await acquireTools({
    names,
    cacheDir: config.cacheDir,
    env: config.childEnv,
    keepCaches: true,
    ...(config.toolsMirror === undefined ? {} : { mirror: config.toolsMirror }),
    onProgress: (event) => {
      const line = formatProgress(event);
      if (line) say(line);
    },
  }).all();
}

async function prepareTools(): Promise<void> {
  await acquire(toolNames);
  await registryProgram();
  await temporalServerProgram();
  say('tools are there');
}

async function prepareNode(): Promise<void> {
  if (!(await nodeRequirements()).every(({ ok }) => ok)) return;
  await acquire(nodeToolNames);
  for (const recipes of [RECIPES, DATABASE_RECIPES])
    say(`images are there: ${(await buildImages(config, recipes, say)).archive}`);
}

let done = false;
try {
  if (only !== 'node') await prepareTools();
  if (only !== 'tools') await prepareNode();
  done = true;
} finally {
  // What only a node needs is made with what the tools have left, by whoever calls this again for it.
  if (!done || only !== 'tools') await removeGoCaches(config.cacheDir);
}
