/** An environment file of a test's own, on top of the sandbox's. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Config } from '../../../src/config.ts';

/** @param folder where `sandbox.yaml` is written, with what it extends */
export async function writeEnvironment(
  { environmentsDir }: Pick<Config, 'environmentsDir'>,
  folder: string,
  more: Record<string, unknown>,
): Promise<void> {
  for (const [from, to] of [
    ['_base.yaml', '_base.yaml'],
    ['sandbox.yaml', 'base2.yaml'],
  ] as const)
    await writeFile(join(folder, to), await readFile(join(environmentsDir, from)));
  await writeFile(join(folder, 'sandbox.yaml'), stringify({ extends: 'base2', description: 'For a test', ...more }));
}
