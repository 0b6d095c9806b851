/** The options of a plan as a deployment takes them. */
import type { SelectionOptions } from '../shared/selection-options.ts';

export function deployArgs(
  imageTags: Readonly<Record<string, string>>,
  { only, phase, from, skip, withDependencies, rerun }: SelectionOptions,
): string[] {
  const list = (name: string, values: readonly (string | number)[] | undefined): string[] =>
    values === undefined ? [] : [name, values.join(',')];
  return [
    ...Object.entries(imageTags).flatMap(([service, tag]) => ['--image', `${service}=${tag}`]),
    ...list('--only', only),
    ...list('--phase', phase),
    ...list('--from', from),
    ...list('--skip', skip),
    ...(withDependencies ? ['--with-dependencies'] : []),
    ...list('--rerun', rerun),
  ];
}
