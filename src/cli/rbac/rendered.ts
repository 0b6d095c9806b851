/** What identities are derived from: the catalog and every chart, rendered as a deployment would. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import PQueue from 'p-queue';
import { renderedObjects } from '../../effects/diff/render.ts';
import type { Config } from '../../config.ts';
import { stateDir } from '../../config.ts';
import type { AccessBasis } from '../../plan/access/identities.ts';
import { snapshotNamespaces } from '../../plan/checkpoint/checkpoints.ts';
import { referencesOf } from '../../plan/references.ts';
import { findRelease } from '../../plan/releases.ts';
import { requireCharts } from '../deploy/checks/charts.ts';
import type { Prepared } from '../deploy/preflight.ts';

/**
 * @param helm path of Helm
 * @throws ChartRenderError with what Helm says against a chart; CliError (refused) for a publisher's chart that cannot
 * be had
 */
export async function accessBasis(
  { catalog, environment, inputs: inputsOf }: Prepared,
  helm: string,
  config: Config,
  onNote: (text: string) => void = () => undefined,
): Promise<AccessBasis> {
  await requireCharts({ catalog, environment }, config, onNote);
  const inputs = [...(await inputsOf({}))];
  const queue = new PQueue({ concurrency: availableParallelism() });
  const releases = await queue.addAll(
    inputs.map(([name, input]) => async () => {
      const { namespace } = findRelease(catalog, name);
      const objects = await renderedObjects(
        { helm, home: join(stateDir(config, environment.name), 'helm'), config },
        { name, namespace },
        input,
      );
      return { name, namespace, objects };
    }),
  );
  const { keys } = environment.vault;
  const notify = referencesOf(environment).flatMap(({ reference }) =>
    'secret' in reference ? [reference.secret] : [],
  );
  const snapshots = snapshotNamespaces(catalog);
  return {
    namespaces: catalog.namespaces.map(({ name }) => name),
    releases,
    ...(notify.length > 0 ? { notify } : {}),
    ...(environment.approvals.length > 0 || environment.freeze !== undefined ? { gates: true } : {}),
    ...(snapshots.length > 0 ? { snapshots } : {}),
    checkJobs: [
      ...new Set(
        catalog.services
          .filter(({ checks }) => checks.some(({ kind }) => kind === 'job'))
          .map(({ namespace }) => namespace),
      ),
    ],
    ...(keys.store === 'kubernetes' ? { keys: { namespace: keys.namespace, name: keys.name } } : {}),
  };
}
