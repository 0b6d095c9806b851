/** `ananta node import`. */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { loadEnvironment } from '../../environment/load.ts';
import { realNodeOf } from '../../environment/real-node.ts';
import { componentsOf } from '../shared/components/components.ts';
import type { CliContext } from '../shared/context.ts';
import { failed, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';

export interface NodeOptions {
  env: string;
}

/**
 * @throws CliError: refused for a missing file, a node that is not there or does not run; failed where containerd says
 * no
 */
export async function runNodeImport(
  { config, terminal }: CliContext,
  files: readonly string[],
  options: NodeOptions,
): Promise<void> {
  const environment = await loadEnvironment(options.env, config);
  if (realNodeOf(environment) === undefined)
    throw refused(
      `"${environment.name}" has no real node: nothing of it would use images (cluster.embedded.realNode).`,
      commandLine('node', 'import', '...', '--env', 'node'),
    );
  const paths = files.map((file) => resolve(file));
  for (const path of paths) {
    await access(path).catch(() => {
      throw refused(`There is no file ${path}.`);
    });
  }
  const containerd = (await componentsOf(environment, config)).find(({ name }) => name === 'containerd');
  if (containerd?.healthy !== true)
    throw refused(`The real node of "${environment.name}" does not run.`, commandLine('up', '--env', environment.name));
  const { importImages, layoutOf } = await import('../../../bootstrap/index.ts');
  try {
    const names = await importImages(layoutOf(config, environment.name), paths);
    printLines(
      terminal.stdout,
      names.map((name) => `imported ${name}`),
    );
  } catch (error) {
    throw failed(`The images were not imported: ${error instanceof Error ? error.message : String(error)}`);
  }
}
