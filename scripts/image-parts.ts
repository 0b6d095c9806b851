/**
 * What the container image brings besides the checkout: Helm at its pinned version, and the workflow code as one file.
 *   node scripts/image-parts.ts FOLDER
 */
import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { workflowBuild } from '../src/clients/temporal/bundle.ts';
import { acquireHelm } from '../src/cli/shared/components/helm-binary.ts';
import { readConfig } from '../src/config.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('image-parts: the folder is missing');
const target = resolve(folder);
const config = readConfig();
await mkdir(target, { recursive: true });
const [helm, build, traced, encrypted] = await Promise.all([
  acquireHelm(config),
  workflowBuild(config.repoRoot, target),
  workflowBuild(config.repoRoot, target, { traced: true }),
  workflowBuild(config.repoRoot, target, { encrypted: true }),
  workflowBuild(config.repoRoot, target, { traced: true, encrypted: true }),
]);
await copyFile(helm, join(target, 'helm'));
await chmod(join(target, 'helm'), 0o755);
console.log(
  `Helm from ${helm}; workflow code ${build.buildId} in ${build.path}, with spans ${traced.buildId}, of encrypted environments ${encrypted.buildId}`,
);
