/**
 * What Helm and the API server would refuse about the charts of an environment, found without either's cluster: each
 * chart is rendered with the environment's values, and each object compared with Kubernetes' own schemas and rules.
 * Charts that are not on this machine are named, not fetched.
 */
import { join } from 'node:path';
import { renderEach, renderedObjects, tidyRenderings } from '../../effects/diff/render.ts';
import type { Catalog } from '../../catalog/schema.ts';
import { ChartRenderError, renderErrorText } from '../../clients/helm/template.ts';
import { type Config, stateDir } from '../../config.ts';
import type { ConfigurationProblem } from '../../environment/errors.ts';
import type { Environment } from '../../environment/schema.ts';
import type { ManifestObject } from '../../plan/diff/manifest.ts';
import { allReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { definedKinds } from '../../plan/objects/defined.ts';
import { type RenderedRelease, releaseProblems } from '../../plan/objects/releases.ts';
import { readSchemas } from '../../plan/objects/schemas.ts';
import { findRelease } from '../../plan/releases.ts';
import { commandLine } from '../shared/format.ts';
import { installedHelm, noHelmNote } from '../shared/components/helm-binary.ts';

export interface RenderedCheck {
  problems: ConfigurationProblem[];
  /** What could not be checked here, and what would change that. */
  notes: string[];
}

/** @throws Error for values files, chart folders or a lock that cannot be read */
export async function renderedProblems(
  catalog: Catalog,
  environment: Environment,
  config: Config,
): Promise<RenderedCheck> {
  const { name } = environment;
  const helm = await installedHelm(config);
  if (helm === undefined) return { problems: [], notes: [noHelmNote(name)] };
  const inputs = [...(await allReleaseInputs(catalog, environment, {}, config))];
  const rendered: RenderedRelease[] = [];
  const problems: ConfigurationProblem[] = [];
  await tidyRenderings(config, inputs);
  const home = join(stateDir(config, name), 'helm');
  const missing = await renderEach(
    inputs.map(([release, input]) => ({ release, input })),
    async ({ release, input }) => {
      const { namespace } = findRelease(catalog, release);
      try {
        const objects = await renderedObjects({ helm, home, config }, { name: release, namespace }, input);
        rendered.push({ release, namespace, objects });
      } catch (error) {
        problems.push({ file: `${name}.yaml`, field: '', message: `release ${wordsOf(error, release)}` });
      }
    },
  );
  const schemas = await readSchemas();
  const custom = definedKinds(rendered.flatMap(({ objects }) => objects.map(({ object }: ManifestObject) => object)));
  const found = releaseProblems(
    rendered.sort((a, b) => a.release.localeCompare(b.release)),
    schemas,
    custom,
  );
  return {
    problems: [
      ...problems.sort((a, b) => a.message.localeCompare(b.message)),
      ...found.map((message) => ({ file: `${name}.yaml`, field: '', message })),
    ],
    notes:
      missing.length === 0
        ? []
        : [
            `not rendered, since ${missing.length === 1 ? 'its chart is' : 'their charts are'} not on this machine: ${missing.join(', ')}. ${commandLine('charts', 'pull', '--env', name)} fetches ${missing.length === 1 ? 'it' : 'them'}`,
          ],
  };
}

function wordsOf(error: unknown, release: string): string {
  if (error instanceof ChartRenderError) return renderErrorText(error);
  return `${release}: ${error instanceof Error ? error.message : String(error)}`;
}
