/**
 * Whether every chart renders with its values, to what the cluster can keep: found before anything is touched. Changes
 * nothing in the cluster.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import PQueue from 'p-queue';
import type { Catalog } from '../catalog/schema.ts';
import { recordSizeProblem } from '../clients/helm/record-size.ts';
import { template } from '../clients/helm/template.ts';
import type { Config } from '../config.ts';
import { stateDir } from '../config.ts';
import { manifestObjects } from '../plan/diff/manifest.ts';
import type { ReleaseInputs } from '../plan/inputs/release-inputs.ts';
import { objectSizeProblem } from '../plan/objects/size.ts';
import { findRelease } from '../plan/releases.ts';
import { tidied } from '../process/kept-files.ts';

/** What rendered once renders again: digests of chart and values that need not be tried a second time. */
const KEPT = 2000;

/** How far it is, of all charts; one that was rendered before counts as well. */
export type OnRendered = (done: number, all: number) => void;

/**
 * Those of publishers have to be there.
 * @param helm path of Helm
 * @param onRendered after each chart that had to be rendered
 * @returns a line for each problem, with what Helm says; sorted
 */
export async function renderProblems(
  catalog: Catalog,
  environment: string,
  inputs: Iterable<readonly [string, ReleaseInputs]>,
  helm: string,
  config: Config,
  onRendered: OnRendered = () => undefined,
): Promise<string[]> {
  const folder = join(config.stateRoot, 'cache', 'rendered');
  const all = [...inputs];
  const known = await tidied(folder, new Set(all.map(([, { digest }]) => digest)), KEPT);
  const problems: string[] = [];
  const queue = new PQueue({ concurrency: availableParallelism() });
  const wanted = all.filter(([, { digest }]) => !known.has(digest));
  let done = all.length - wanted.length;
  await queue.addAll(
    wanted.map(([name, { chartPath, values, digest }]) => async () => {
      const { namespace } = findRelease(catalog, name);
      const rendered = await template(helm, join(stateDir(config, environment), 'helm'), config.childEnv, {
        release: name,
        namespace,
        chartPath,
        values,
      });
      const found = 'error' in rendered ? [rendered.error] : await tooLarge({ chartPath, values }, rendered.text);
      if (found.length === 0) await writeFile(join(folder, digest), '');
      else problems.push(...found.map((problem) => `${name} (chart ${chartPath}): ${problem}`));
      done += 1;
      onRendered(done, all.length);
    }),
  );
  return problems.sort();
}

/** An object that may be too large is in no text that is shorter. */
const LOOKED_AT_CHARACTERS = 512 * 1024;

/** @returns what the cluster could not keep, in words */
async function tooLarge(release: { chartPath: string; values: string }, manifest: string): Promise<string[]> {
  const record = await recordSizeProblem({ ...release, manifest });
  const objects = manifest.length < LOOKED_AT_CHARACTERS ? [] : manifestObjects(manifest);
  return [
    ...objects.flatMap((one) => {
      const problem = objectSizeProblem(one);
      return problem === undefined ? [] : [`${one.kind} ${one.name} ${problem}`];
    }),
    ...(record === undefined ? [] : [record]),
  ];
}
