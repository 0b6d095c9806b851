/** Helm releases of our names that we did not make: how they are recognised, and what to do about them. Pure. */
import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';
import type { Catalog } from '../../catalog/schema.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import type { ForeignRelease, ObservedRelease } from '../observed.ts';
import { HELM_MANAGER } from '../fields/managed.ts';
import { findService, type Release } from '../releases.ts';

/** Nothing of it was touched. */
export class ForeignReleaseError extends AnantaError {
  override name = 'ForeignReleaseError';
  override readonly type = FAILURES.notOurs;
  override readonly exitCode = EXIT_CODES.refused;
  readonly releases: readonly ForeignRelease[];

  constructor(environment: string, releases: readonly ForeignRelease[], about = '') {
    super(
      [
        ...releases.map((release) => `${about}${foreignText(release, environment)}`),
        'Nothing was touched. Ways on:',
        ...releases.flatMap((release) => waysOn(release, environment)),
      ].join('\n'),
    );
    this.releases = releases;
  }
}

/**
 * What the labels of a release's revisions say of the newest one. `copied`: Helm hands labels on to whatever takes the
 * place of a revision, so its chart has to be looked at.
 * @param revisions oldest first, at least one
 * @param service that the release belongs to; absent: not in the catalog
 * @param formerly environments that it took the cluster over from
 */
export function labelsSay(
  revisions: readonly ObservedRelease[],
  environment: string,
  service?: string,
  formerly: readonly string[] = [],
): 'ours' | 'copied' | 'foreign' {
  const newest = revisions.at(-1);
  if (newest === undefined) return 'foreign';
  const bears = ({ labels }: ObservedRelease): boolean =>
    [environment, ...formerly].includes(labels[RELEASE_LABELS.environment] ?? '') &&
    (service === undefined || (labels[RELEASE_LABELS.service] ?? service) === service);
  if (bears(newest)) {
    return isAdopted(newest) || !isCopy(newest, revisions) ? 'ours' : 'copied';
  }
  if (newest.labels[RELEASE_LABELS.environment] !== undefined) return 'foreign';
  return revisions.some((revision) => revision.status !== 'uninstalled' && bears(revision)) ? 'copied' : 'foreign';
}

/** A person has taken over this very revision. */
export function isAdopted({ labels, revision }: ObservedRelease): boolean {
  return labels[RELEASE_LABELS.adopted] === String(revision);
}

/** @returns in whose name a release that was taken over was applied before: fields that it claims came with it */
export function formerApplier(labels: Readonly<Record<string, string>> = {}): string | undefined {
  return labels[RELEASE_LABELS.adopted] === undefined ? undefined : labels[RELEASE_LABELS.applier];
}

/**
 * As the value of a label, where it can be one.
 * @param writer in whose name Helm's record is written; Helm's own client calls itself otherwise there than at objects
 */
export function applierLabel(writer: string): Record<string, string> {
  const manager = writer === 'Helm' ? HELM_MANAGER : writer;
  return /^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/.test(manager) ? { [RELEASE_LABELS.applier]: manager } : {};
}

/** A run of ours never writes the same content twice. */
function isCopy({ revision, labels }: ObservedRelease, all: readonly ObservedRelease[]): boolean {
  const [run, digest] = [labels[RELEASE_LABELS.run], labels[RELEASE_LABELS.digest]];
  return all.some(
    (other) =>
      other.revision < revision &&
      other.labels[RELEASE_LABELS.run] === run &&
      other.labels[RELEASE_LABELS.digest] === digest,
  );
}

/** Names of the charts that a release of the catalog is made from. */
export function chartNames(catalog: Catalog, { chart, service, position }: Release): string[] {
  const upstream = position === 'main' ? findService(catalog, service).chart.upstream : undefined;
  const published = upstream === undefined ? undefined : catalog.upstreamCharts[upstream]?.name;
  return published === undefined ? [chart] : [chart, published];
}

/** One sentence: what it is, and whose. */
export function foreignText(release: ForeignRelease, environment: string): string {
  const { namespace, name, revision, status, chart, by, at, labels } = release;
  const of =
    release.environment === undefined
      ? `no deployment to "${environment}" made it`
      : release.environment === environment
        ? 'somebody has put it in the place of the one that a deployment made'
        : `a deployment to environment "${release.environment}" made it`;
  return `Release ${name} in ${namespace} is not ours: ${of}. It is ${
    chart === undefined ? 'of a chart that cannot be told (its record cannot be read)' : `of chart ${chart}`
  }, revision ${revision} (${status}), written by "${by}" at ${at}${
    labels.length === 0 ? '' : `, labelled ${labels.join(', ')}`
  }.`;
}

function waysOn({ namespace, name, service, environment: of }: ForeignRelease, environment: string): string[] {
  // What another environment deploys is not taken over one by one: its deployer would take it back.
  const others = of !== undefined && of !== environment;
  return [
    `  helm uninstall ${name} --namespace ${namespace}   (if its owner no longer needs it)`,
    ...(service === undefined || others
      ? []
      : [
          `  npm run ananta -- adopt ${service} --env ${environment}   (shows what it holds, and takes it over once confirmed)`,
        ]),
  ];
}
