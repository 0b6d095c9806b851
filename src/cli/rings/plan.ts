/** `ananta rings plan`: what each ring would do; changes nothing. */
import { EXIT_CODES } from '../../contract/failures.ts';
import { loadRings } from '../../environment/rings.ts';
import { planFileOf } from '../../plan/diff/file.ts';
import type { PlatformChanges } from '../../plan/diff/types.ts';
import { requireCharts } from '../deploy/checks/charts.ts';
import { checkInputs, preflight } from '../deploy/preflight.ts';
import { lookAtChanges } from '../plan/run.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import type { RingsPlanOptions } from './options.ts';
import { ringsPlanOf, writeRingsPlan } from './plan-file.ts';
import { requireTogether } from './ready.ts';
import { ringsPlanLines } from './render.ts';

/** @returns 0 nothing to do, 2 changes */
export async function runRingsPlan(context: CliContext, name: string, options: RingsPlanOptions): Promise<ExitCode> {
  const { config, terminal } = context;
  const file = await loadRings(name, config);
  await requireTogether(context, name, file);
  const imageTags = options.image ?? {};
  const plans = new Map<string, PlatformChanges>();
  for (const environment of file.rings.flatMap(({ environments }) => environments)) {
    const prepared = await preflight(context, environment, imageTags);
    await requireCharts(prepared, config, (text) => terminal.stderr.write(`${text}\n`));
    await checkInputs(prepared, imageTags, context);
    plans.set(environment, await lookAtChanges(context, prepared, imageTags, undefined));
  }
  if (options.out !== undefined) {
    const origin = { imageTags, createdAt: new Date().toISOString(), requestedBy: config.requestedBy };
    const kept = [...plans.values()].map((changes) => planFileOf(changes, origin));
    await writeRingsPlan(options.out, ringsPlanOf(name, file, imageTags, kept));
    terminal.stderr.write(`Written: ${options.out}\n`);
  }
  const rings = file.rings.map((ring) => ({
    name: ring.name,
    soak: ring.soak ?? file.soak,
    onFailure: ring.onFailure ?? file.onFailure,
    environments: ring.environments.flatMap((environment) => plans.get(environment) ?? []),
  }));
  printLines(
    terminal.stdout,
    options.json
      ? [JSON.stringify({ name, rings })]
      : [
          ...ringsPlanLines(rings, terminal.style),
          '',
          `Next: ${commandLine('rings', 'deploy', name, ...(options.out === undefined ? [] : ['--plan', options.out]))}`,
        ],
  );
  return [...plans.values()].some(({ changes }) => changes) ? EXIT_CODES.changes : EXIT_CODES.done;
}
