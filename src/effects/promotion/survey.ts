/** What a promotion is judged by: this checkout, and what the target's releases carry now. Changes nothing. */
import type { Catalog } from '../../catalog/schema.ts';
import { readStoredRelease } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import type { Config } from '../../config.ts';
import type { PlatformVersion } from '../../contract/version.ts';
import type { Environment } from '../../environment/schema.ts';
import { writtenValues } from '../../plan/inputs/kubernetes-yaml.ts';
import type { PlatformInputs } from '../../plan/inputs/platform-inputs.ts';
import { allDigests } from '../../plan/inputs/release-inputs.ts';
import { releaseKey } from '../../plan/observed.ts';
import type { CheckoutRelease } from '../../plan/promotion/judge.ts';
import { allReleases } from '../../plan/releases.ts';
import { type Migration, migrationsOf } from '../../plan/versions/migrations.ts';
import { newestOf } from '../../plan/versions/rollback.ts';
import { absentChart } from '../diff/render.ts';
import { readOurRevisions } from '../versions/contents.ts';

export interface CheckoutSurvey {
  catalog: Catalog;
  /** Environment that the version is of. */
  source: Environment;
  version: PlatformVersion;
  /** Of the target. */
  inputs: PlatformInputs;
  /** With which the target gets the version's images. */
  imageTags: Readonly<Record<string, string>>;
}

/** By the name of the release. */
export async function checkoutReleases(
  { catalog, source, version, inputs, imageTags }: CheckoutSurvey,
  config: Pick<Config, 'repoRoot' | 'cacheDir'>,
): Promise<Map<string, CheckoutRelease>> {
  const [asSource, asTarget] = await Promise.all([
    allDigests(catalog, source, version.imageTags, config),
    inputs(imageTags),
  ]);
  return new Map(
    [...asTarget].map(([name, input]) => [
      name,
      {
        asSource: asSource.get(name),
        content: input.content,
        isHere: absentChart(input) === undefined,
        migrations: runsMigrations(catalog, name) ? migrationsOf(writtenValues(input.values)) : [],
      },
    ]),
  );
}

/** By the name of the release; absent where it is not there yet. */
export async function appliedMigrations(
  clients: Pick<Clients, 'kubernetes' | 'catalog' | 'environment' | 'vault' | 'redactor'>,
  signal?: AbortSignal,
): Promise<Map<string, Migration[]>> {
  const { catalog, kubernetes } = clients;
  const revisions = await readOurRevisions(clients, signal);
  const found = await Promise.all(
    allReleases(catalog)
      .filter(({ name }) => runsMigrations(catalog, name))
      .map(async ({ namespace, name }): Promise<[string, Migration[]][]> => {
        const now = newestOf(revisions.get(releaseKey(namespace, name)) ?? []);
        if (now === undefined) return [];
        const stored = await readStoredRelease(kubernetes, namespace, name, now.revision, signal);
        return [[name, migrationsOf(stored?.config ?? {})]];
      }),
  );
  return new Map(found.flat());
}

function runsMigrations({ migrations }: Catalog, release: string): boolean {
  return migrations.some(({ service }) => service === release);
}
