/** Whether a checkout holds exactly what a version of another environment does, and a target can take it. Pure. */
import type { Catalog } from '../../catalog/schema.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { PlatformVersion, VersionedRelease } from '../../contract/version.ts';
import { allReleases } from '../releases.ts';
import type { Migration } from '../versions/migrations.ts';
import { VersionRefusedError } from '../versions/refused.ts';
import { judgeMigrations } from './migrations.ts';

/** What was asked for cannot be promoted; nothing was touched. */
export class PromotionRefusedError extends VersionRefusedError {
  override name = 'PromotionRefusedError';
  /** What could be done about it: another checkout, other names of migrations, or a word that crosses them. */
  readonly remedy: 'checkout' | 'order' | 'crossing';

  constructor(remedy: PromotionRefusedError['remedy'], message: string) {
    super(remedy === 'crossing' ? FAILURES.pointOfNoReturn : FAILURES.versionUnknown, message);
    this.remedy = remedy;
  }
}

/** One release as this checkout would install it. */
export interface CheckoutRelease {
  /** Over chart, values and image, with the source's environment: what its version has, where nothing has changed. */
  asSource: string | undefined;
  /** Digest of the chart, with the target's environment; undefined where it is not in the lock. */
  content: string | undefined;
  /** Whether a publisher's archive is in the cache; bundled charts are in the checkout. */
  isHere: boolean;
  migrations: readonly Migration[];
}

export interface PromotionInput {
  catalog: Catalog;
  target: string;
  version: PlatformVersion;
  /** By the name of the release. */
  checkout: ReadonlyMap<string, CheckoutRelease>;
  /** Migrations that the target's releases carry now, by the name of the release. */
  applied: ReadonlyMap<string, readonly Migration[]>;
  pastNoReturn: boolean;
}

/**
 * @returns what a person should know, one line each
 * @throws PromotionRefusedError with every reason
 */
export function judgePromotion(input: PromotionInput): string[] {
  const { catalog, target, version, checkout, applied, pastNoReturn } = input;
  const { environment: source, releases } = version;
  const differing = differences(catalog, releases, checkout);
  if (differing.length > 0)
    throw new PromotionRefusedError(
      'checkout',
      [
        `This checkout does not hold what version ${version.version} of "${source}" does:`,
        ...differing.map((line) => `  ${line}`),
      ].join('\n'),
    );
  const verdicts = releases
    .filter(({ migrations, name }) => (migrations ?? []).length > 0 || (applied.get(name) ?? []).length > 0)
    .map(({ name, migrations = [] }) =>
      judgeMigrations({ release: name, wanted: migrations.map(asMigration), applied: applied.get(name) ?? [] }),
    );
  const refused = verdicts.flatMap((verdict) => verdict.refused);
  if (refused.length > 0)
    throw new PromotionRefusedError(
      'order',
      [
        `Migrations of version ${version.version} of "${source}" cannot run in "${target}":`,
        ...refused.map((line) => `  ${line}`),
      ].join('\n'),
    );
  const crossed = verdicts.flatMap((verdict) => verdict.crossed);
  if (crossed.length > 0 && !pastNoReturn)
    throw new PromotionRefusedError(
      'crossing',
      `"${target}" has run migrations that version ${version.version} of "${source}" does not hold and that cannot be taken back: ${crossed.join('; ')}. What is promoted may not work with its databases.`,
    );
  return [
    ...verdicts.flatMap(({ notes }) => notes),
    ...crossed.map((what) => `Crosses ${what}, which cannot be taken back.`),
  ];
}

/** One line a release of which this checkout would install something else. */
function differences(
  catalog: Catalog,
  releases: readonly VersionedRelease[],
  checkout: PromotionInput['checkout'],
): string[] {
  const known = new Map(releases.map((release) => [release.name, release]));
  const wanted = allReleases(catalog).filter(({ kind }) => kind === 'release');
  const names = new Set(wanted.map(({ name }) => name));
  return [
    ...wanted.flatMap(({ name }): string[] => {
      const release = known.get(name);
      if (release === undefined) return [`${name}: is in this checkout, and not in the version`];
      const reason = whyOther(release, checkout.get(name));
      return reason === undefined ? [] : [`${name}: ${reason}`];
    }),
    ...releases
      .filter(({ name }) => !names.has(name))
      .map(({ name }) => `${name}: is in the version, and not in this checkout`),
  ];
}

function whyOther(
  { chart, digest, migrations = [] }: VersionedRelease,
  here: CheckoutRelease | undefined,
): string | undefined {
  const named = `${chart.name} ${chart.version}`;
  if (here === undefined) return `its chart cannot be read here`;
  if (here.content === undefined) return `its chart is not in the lock of charts (the version has ${named})`;
  if (!here.isHere) return `its chart ${named} is not in the cache of this machine`;
  // Of a version that does not say what its charts were installed from, only the whole can be compared.
  const same = chart.content === undefined ? here.asSource === digest : chart.content === here.content;
  if (!same)
    return chart.content === undefined
      ? `chart, values or image differ (${here.asSource ?? 'unknown'} here, ${digest} in the version)`
      : `its chart differs (${short(here.content)} here, ${short(chart.content)} in the version, ${named})`;
  const [is, was] = [here.migrations.map(({ id }) => id), migrations.map(({ id }) => id)];
  return is.join() === was.join()
    ? undefined
    : `its migrations differ (${is.join(', ') || 'none'} here, ${was.join(', ') || 'none'} in the version)`;
}

function asMigration({ id, noReturn }: { id: string; noReturn?: string | undefined }): Migration {
  return { id, ...(noReturn === undefined ? {} : { noReturn }) };
}

function short(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}
