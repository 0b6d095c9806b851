/**
 * `--only`, `--phase`, `--from`, `--skip`, `--with-dependencies`: part of the platform, for every command that plans.
 */
import { type Command, InvalidArgumentError } from 'commander';
import type { Selection } from '../../contract/operations/deploy.ts';
import { type Graph, selectedServices, describeSelection } from '../../plan/selection.ts';
import { refused } from './failure.ts';
import { commandLine } from './format.ts';

export interface SelectionOptions {
  only?: string[];
  phase?: number[];
  from?: string[];
  skip?: string[];
  withDependencies?: true;
  /** Releases whose Job is run again. */
  rerun?: string[];
  /** Tags by service. */
  image?: Record<string, string>;
}

export function addSelectionOptions(command: Command): Command {
  return command
    .option('--only <services>', 'these services alone; comma separated, may be repeated', collectNames)
    .option('--phase <numbers>', 'the services of these phases; comma separated, may be repeated', collectPhases)
    .option(
      '--from <service|phase>',
      'a service and all that depends on it, or a phase and all later ones',
      collectNames,
    )
    .option('--skip <services>', 'without these services', collectNames)
    .option(
      '--with-dependencies',
      'with all that the selected services depend on; otherwise that has to be healthy already',
    )
    .option(
      '--rerun <jobs>',
      'run these migration or init Jobs again although they have completed; comma separated, may be repeated',
      collectNames,
    );
}

/**
 * @returns undefined where everything is meant
 * @throws CliError (refused), also for an image of a service that would be left out; SelectionError for a service or
 * phase that
 *   does not exist
 */
export function selectionOf(
  { only, phase, from, skip, withDependencies, rerun, image = {} }: SelectionOptions,
  catalog: Graph,
): Selection | undefined {
  if (withDependencies && !only && !phase && !from) {
    throw refused(
      '--with-dependencies says nothing by itself: it goes with --only, --phase or --from.',
      commandLine('deploy', '--help'),
    );
  }
  if (!only && !phase && !from && !skip && !rerun) return undefined;
  const selection: Selection = {
    ...(only ? { only } : {}),
    ...(phase ? { phases: phase } : {}),
    ...(from ? { from } : {}),
    ...(skip ? { skip } : {}),
    ...(withDependencies ? { withDependencies } : {}),
    ...(rerun ? { rerun } : {}),
  };
  const selected = selectedServices(catalog, selection);
  const left = Object.keys(image).find((service) => !selected.includes(service));
  if (left !== undefined) {
    throw refused(
      `--image ${left}=${image[left] ?? ''} would do nothing: ${left} is not among what is selected (${describeSelection(selection)}).`,
      `Select ${left} as well, or leave its --image out.`,
    );
  }
  return selection;
}

/** The options as they were given, for texts. */
export function selectionFlags({ only, phase, from, skip, rerun }: SelectionOptions): string[] {
  return [
    ...(only ? ['--only'] : []),
    ...(phase ? ['--phase'] : []),
    ...(from ? ['--from'] : []),
    ...(skip ? ['--skip'] : []),
    ...(rerun ? ['--rerun'] : []),
  ];
}

/** For a repeatable list. @throws InvalidArgumentError */
export function collectNames(text: string, before: string[] = []): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError(`"${text}" is not a list of names, as in auth,web.`);
  return [...new Set([...before, ...names])];
}

/** @throws InvalidArgumentError */
export function collectPhases(text: string, before: number[] = []): number[] {
  const phases = text.split(',').map((part) => part.trim());
  if (phases.some((phase) => !/^\d{1,3}$/.test(phase)))
    throw new InvalidArgumentError(`"${text}" is not a list of phases, as in 3 or 3,4.`);
  return [...new Set([...before, ...phases.map(Number)])];
}
