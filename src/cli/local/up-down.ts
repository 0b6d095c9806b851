/** `ananta up` and `ananta down`. */
import type { LocalStackEvent } from '../../../bootstrap/report.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { Environment } from '../../environment/schema.ts';
import { componentLines, componentsOf } from '../shared/components/components.ts';
import { confirmByName } from '../shared/confirm.ts';
import type { CliContext } from '../shared/context.ts';
import { hasEmbeddedParts } from '../deploy/embedded.ts';
import { ensureLocalStack } from '../deploy/local-stack.ts';
import { watchInterrupts } from '../deploy/interrupt.ts';
import { setupLine } from '../render/setup.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { createRenderer } from '../render/renderers.ts';
import { printLines } from '../shared/terminal.ts';

export interface DownOptions {
  env: string;
  purge?: true;
}

export interface UpOptions {
  env: string;
}

export async function runUp(context: CliContext, options: UpOptions): Promise<void> {
  const environment = await loadEnvironment(options.env, context.config);
  requireEmbedded(environment, 'start');
  const renderer = createRenderer(context.terminal, environment.name, false);
  const interrupts = watchInterrupts();
  try {
    await ensureLocalStack({ context, environment, renderer, interrupted: interrupts.signal });
  } finally {
    renderer.close();
    interrupts.dispose();
  }
  const components = await componentsOf(environment, context.config);
  printLines(context.terminal.stdout, [
    ...componentLines(components, context.terminal.style),
    '',
    'Next:',
    `  ${commandLine('deploy', '--env', environment.name)}`,
    `  ${commandLine('doctor', '--env', environment.name)}   (addresses, and lines to export)`,
  ]);
}

export async function runDown(context: CliContext, options: DownOptions): Promise<void> {
  const environment = await loadEnvironment(options.env, context.config);
  requireEmbedded(environment, 'stop');
  if (options.purge && environment.protected) {
    if (!context.terminal.interactive)
      throw refused(`"${environment.name}" is protected: deleting its data has to be confirmed on a terminal.`);
    await confirmByName(environment.name, `This deletes all data of "${environment.name}".`);
  }
  const { deleteKind, down, purge, runningOperations, stopKind } = await import('../../../bootstrap/index.ts');
  const { config } = context;
  const renderer = createRenderer(context.terminal, environment.name, false);
  try {
    const report = (event: LocalStackEvent): void => renderer.setup(setupLine(event));
    for (const workflowId of await runningOperations(config, environment.name))
      renderer.notice(describeRunning(workflowId, environment.name, options.purge === true));
    await down(environment.name, config, report);
    if ('kind' in environment.cluster) await (options.purge ? deleteKind : stopKind)(environment, config, report);
    if (options.purge) await purge(environment.name, config, report);
  } finally {
    renderer.close();
  }
  printLines(
    context.terminal.stdout,
    options.purge
      ? [`"${environment.name}" is stopped and all its data on this machine is deleted.`]
      : [
          `"${environment.name}" is stopped; its data is kept.`,
          `Next: ${commandLine('up', '--env', environment.name)}   (goes on with it)`,
        ],
  );
}

/** What becomes of an operation whose engine goes. */
export function describeRunning(workflowId: string, environment: string, purged: boolean): string {
  const what = `An operation is running on "${environment}" (${workflowId})`;
  return purged
    ? `${what}: it ends here, and is deleted together with its engine.`
    : `${what}: it stands still while everything is down, and goes on after the next "${commandLine('up', '--env', environment)}".`;
}

function requireEmbedded(environment: Environment, verb: string): void {
  if (hasEmbeddedParts(environment)) return;
  throw refused(
    `There is nothing to ${verb}: engine and cluster of "${environment.name}" are external (environments/${environment.name}.yaml).`,
    commandLine('status', '--env', environment.name),
  );
}
