/** `ananta plan`. */
import { join } from 'node:path';
import type { PlanRequest } from '../../effects/diff/index.ts';
import { stateDir } from '../../config.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import type { Selection } from '../../contract/operations/deploy.ts';
import type { Operation } from '../../contract/operations/plan.ts';
import { planFileOf } from '../../plan/diff/file.ts';
import type { PlatformChanges } from '../../plan/diff/types.ts';
import type { PlanOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import { requireCharts } from '../deploy/checks/charts.ts';
import { checkInputs, preflight, type Prepared } from '../deploy/preflight.ts';
import type { ExitCode } from '../shared/failure.ts';
import { helmBinary } from '../shared/components/helm-binary.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { selectionFlags, selectionOf } from '../shared/selection-options.ts';
import { OPERATION_WORDS } from '../render/operation-words.ts';
import { printLines } from '../shared/terminal.ts';
import { deployArgs } from './args.ts';
import { writePlanFile, writeText } from './file.ts';
import { isNotProvisioned, withProvisioned } from './provisioned.ts';
import { stepLines } from './steps.ts';
import { planLines } from './text.ts';

/** @returns 0 nothing to do, 2 changes */
export async function runPlan(context: CliContext, options: PlanOptions): Promise<ExitCode> {
  requireFitting(options);
  const { operation = 'deploy' } = options;
  if (operation !== 'deploy') {
    const { runOperationPlan } = await import('./operation.ts');
    return runOperationPlan(context, operation, options);
  }
  const { config, terminal } = context;
  const imageTags = options.image ?? {};
  const prepared = await preflight(context, options.env, imageTags);
  const selection = selectionOf(options, prepared.catalog);
  // First: without a publisher's chart nobody knows what it would make.
  await requireCharts(prepared, config, (text) => terminal.stderr.write(`${text}\n`));
  await checkInputs(prepared, imageTags, context);
  const changes = await lookAtChanges(context, prepared, imageTags, selection);
  if (options.svg !== undefined) {
    // Graphviz is a megabyte of WebAssembly: loaded when a picture is asked for.
    const { renderChangesSvg, renderStepsSvg } = await import('../../plan/render/svg.ts');
    const picture = options.steps ? renderStepsSvg({ operation, ...changes }) : renderChangesSvg(changes);
    await writeText(options.svg, await picture, '--svg plan.svg');
    terminal.stderr.write(`Written: ${options.svg}\n`);
  }
  if (options.out !== undefined) {
    const origin = {
      imageTags,
      createdAt: new Date().toISOString(),
      requestedBy: config.requestedBy,
      ...(selection === undefined ? {} : { selection }),
    };
    await writePlanFile(options.out, planFileOf(changes, origin));
    terminal.stderr.write(`Written: ${options.out}\n`);
  }
  if (options.json) printLines(terminal.stdout, [JSON.stringify(changes)]);
  else if (options.steps)
    printLines(
      terminal.stdout,
      stepLines({ operation, ...changes }, { columns: terminal.stdout.columns ?? 200, style: terminal.style }),
    );
  else {
    printLines(
      terminal.stdout,
      planLines(changes, {
        columns: terminal.stdout.columns ?? 80,
        style: terminal.style,
        deployArgs: deployArgs(imageTags, options),
        ...(options.out === undefined ? {} : { file: options.out }),
      }),
    );
  }
  return changes.changes ? EXIT_CODES.changes : EXIT_CODES.done;
}

/** @throws CliError (refused) for an option of another operation */
function requireFitting({ operation = 'deploy', env, ...options }: PlanOptions): void {
  const ofDeploy = [...(options.image === undefined ? [] : ['--image']), ...selectionFlags(options)];
  const given: [boolean, string, Operation][] = [
    [options.to !== undefined, '--to', 'rollback'],
    [options.pastNoReturn === true, '--past-no-return', 'rollback'],
    [options.deleteData === true, '--delete-data', 'destroy'],
    [options.secret !== undefined, '--secret', 'rotate'],
    [options.olderThan !== undefined, '--older-than', 'rotate'],
    ...ofDeploy
      // An adoption is of one service, or of all.
      .filter((flag) => operation !== 'adopt' || flag !== '--only')
      .map((flag): [boolean, string, Operation] => [true, flag, 'deploy']),
  ];
  const other = given.find(([there, , of]) => there && of !== operation);
  if (other === undefined) return;
  const [, flag, of] = other;
  throw refused(
    `${flag} belongs to the plan of ${OPERATION_WORDS[of].one}, and this is that of ${OPERATION_WORDS[operation].one}.`,
    commandLine('plan', '--env', env, '--operation', of),
  );
}

/** What a deployment would change, from the cluster as it is; changes nothing. */
export async function lookAtChanges(
  context: CliContext,
  { environment, catalog, inputs }: Prepared,
  imageTags: Record<string, string>,
  selection: Selection | undefined,
): Promise<PlatformChanges> {
  const { config, terminal } = context;
  // Loaded late: the clients take a second, and a wrong option should be refused at once.
  const { planChanges, planFirst } = await import('../../effects/diff/index.ts');
  const home = join(stateDir(config, environment.name), 'helm');
  const request = (signal: AbortSignal, helm: string | undefined): PlanRequest => ({
    imageTags,
    inputs,
    signal,
    ...(selection === undefined ? {} : { selection }),
    ...(helm === undefined ? {} : { rendering: { helm, home, config } }),
  });
  if (await isNotProvisioned(environment, config)) {
    const { createRedactor } = await import('../../clients/redact.ts');
    const { findInstalledTools } = await import('../../../bootstrap/tools/index.ts');
    // Nothing is installed for the sake of a look.
    const helm = (await findInstalledTools(config.cacheDir, config.childEnv)).get('helm')?.path;
    return planFirst(
      { environment, catalog, config, redactor: createRedactor() },
      request(new AbortController().signal, helm),
    );
  }
  return withProvisioned(context, environment, async (clients, signal) => {
    const { formatProgress } = await import('../../../bootstrap/tools/index.ts');
    const helm = await helmBinary(clients.connections, config, (event) =>
      terminal.stderr.write(`${formatProgress(event)}\n`),
    );
    return planChanges(clients, request(signal, helm));
  });
}
