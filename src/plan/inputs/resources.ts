/** Requests and limits as they come out of environment, values file and chart together. */
import { join } from 'node:path';
import type { ConfigurationProblem } from '../../environment/errors.ts';
import { type Resources, resourceProblems } from '../../environment/fields/formats/quantity.ts';
import { isTree, mergeTrees, type Tree } from '../../environment/files/merge.ts';
import type { Environment } from '../../environment/schema.ts';
import { writtenValues } from './kubernetes-yaml.ts';
import type { ReleaseInputs } from './release-inputs.ts';
import { readValues } from './values-files.ts';

/**
 * What an environment says about one half may not fit the other half, which stands elsewhere: the API server refuses a
 * request over its limit, when half the platform is deployed already.
 */
export async function resourceConflicts(
  environment: Pick<Environment, 'name' | 'resources'>,
  releases: ReadonlyMap<string, ReleaseInputs>,
): Promise<ConfigurationProblem[]> {
  const changed = [...releases].filter(([name]) => environment.resources[name] !== undefined);
  const found = await Promise.all(
    changed.map(async ([name, inputs]) => {
      const own = writtenValues(inputs.values);
      // A publisher's chart is an archive: what it says by itself is seen when it is rendered.
      const chart = inputs.upstream === undefined ? await readValues(join(inputs.chartPath, 'values.yaml')) : {};
      return resourcesIn(mergeTrees(chart, own)).flatMap((resources) =>
        resourceProblems(resources).map(({ path, message }) => ({
          file: `${environment.name}.yaml`,
          field: ['resources', name, ...path].join('.'),
          message: `together with helm/values and the chart: ${message}`,
        })),
      );
    }),
  );
  return found.flat();
}

/** Everything below a key of that name. */
function resourcesIn(tree: Tree): Resources[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    if (!isTree(value)) return [];
    return key === 'resources' && (isTree(value['requests']) || isTree(value['limits']))
      ? [{ requests: amountsOf(value['requests']), limits: amountsOf(value['limits']) }]
      : resourcesIn(value);
  });
}

function amountsOf(value: unknown): Record<string, string> {
  return isTree(value) ? Object.fromEntries(Object.entries(value).map(([name, amount]) => [name, String(amount)])) : {};
}
