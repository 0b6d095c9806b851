/** Kinds that a chart brings along: known to the API server a moment after Helm has created them. */
import { DeployError } from '../../../contract/errors.ts';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tar from 'tar';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { type KubernetesClient, paths, releaseOf } from '../../../clients/kubernetes/index.ts';
import type { Clients } from '../../../clients/index.ts';
import { FAILURES } from '../../../contract/failures.ts';
import { conditions, trueCondition } from '../../../plan/health/types.ts';
import type { ReleaseInputs } from '../../../plan/inputs/release-inputs.ts';
import type { Release } from '../recover.ts';

const definitionSchema = z.looseObject({
  kind: z.literal('CustomResourceDefinition'),
  metadata: z.looseObject({ name: z.string() }),
});
const statusSchema = z.object({ status: z.object({ conditions }).prefault({}) });
const DEADLINE_MILLISECONDS = 30_000;

/** Names of the definitions in the `crds` folder of a chart that is a folder. */
export async function definitionsOf(chart: string): Promise<string[]> {
  const folder = join(chart, 'crds');
  const files = await readdir(folder).catch(() => []);
  const texts = await Promise.all(
    files.filter((file) => /\.ya?ml$/.test(file)).map((file) => readFile(join(folder, file), 'utf8')),
  );
  return namesIn(texts);
}

/** The same for a chart that is an archive. */
export async function archivedDefinitions(archive: string): Promise<string[]> {
  const texts: Promise<string>[] = [];
  await tar.list({
    file: archive,
    filter: (path) => /^[^/]+\/crds\/[^/]+\.ya?ml$/.test(path),
    onReadEntry: (entry) => {
      texts.push(entry.concat().then((content) => content.toString('utf8')));
    },
  });
  return namesIn(await Promise.all(texts));
}

/** Names of the definitions that a release has made from templates. */
export async function installedDefinitions(
  kubernetes: Pick<KubernetesClient, 'list'>,
  { namespace, name }: Release,
  signal?: AbortSignal,
): Promise<string[]> {
  const { items } = await kubernetes.list(
    paths.customResourceDefinitions(),
    { labelSelector: 'app.kubernetes.io/managed-by=Helm', metadataOnly: true },
    signal,
  );
  return items
    .filter(
      (object) =>
        releaseOf(object) === name && object.metadata.annotations?.['meta.helm.sh/release-namespace'] === namespace,
    )
    .map(({ metadata }) => metadata.name);
}

function namesIn(texts: readonly string[]): string[] {
  return texts
    .flatMap((text) => parseAllDocuments(text))
    .flatMap((document) => {
      const parsed = definitionSchema.safeParse(document.toJS());
      return parsed.success ? [parsed.data.metadata.name] : [];
    });
}

/** @throws DeployError when one is not established after 30 s */
export async function awaitEstablished(
  kubernetes: KubernetesClient,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + DEADLINE_MILLISECONDS;
  await Promise.all(
    names.map(async (name) => {
      for (;;) {
        const found = await kubernetes.get(paths.customResourceDefinition(name), signal);
        const { conditions: list } = statusSchema.parse(found ?? {}).status;
        if (trueCondition(list, 'Established')) return;
        if (Date.now() > deadline) {
          const refused = list.find(({ type, status }) => type === 'NamesAccepted' && status === 'False');
          throw new DeployError(
            FAILURES.rejectedByCluster,
            `CustomResourceDefinition ${name} is not established after 30 s${refused ? `: ${refused.message}` : ''}`,
          );
        }
        await sleep(100, undefined, { signal });
      }
    }),
  );
}

/** Names of the kinds that the release has just brought along. Publishers make them from templates. */
export async function kindsOf(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  { upstream, chartPath }: Pick<ReleaseInputs, 'upstream' | 'chartPath'>,
  release: Release,
  signal: AbortSignal,
): Promise<string[]> {
  if (upstream === undefined) return definitionsOf(chartPath);
  return [...(await archivedDefinitions(chartPath)), ...(await installedDefinitions(kubernetes, release, signal))];
}
