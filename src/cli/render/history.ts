/** Platform versions as text and as JSON. Pure. */
import type { PlatformVersion } from '../../contract/version.ts';
import { changesBetween, type ReleaseChange } from '../../plan/versions/versions.ts';
import { actText } from '../../plan/steering/acts.ts';
import { commandLine, count, duration, oneLine, table, truncate } from '../shared/format.ts';
import type { Style } from '../shared/terminal.ts';
import { OPERATION_WORDS } from './operation-words.ts';

export interface HistoryLinesOptions {
  /** Versions that the environment keeps. */
  keep: number;
  columns: number;
  style: Style;
}

const MOST_NAMES = 4;

/** @param versions the newest first */
export function historyLines(
  environment: string,
  versions: readonly PlatformVersion[],
  { keep, columns, style }: HistoryLinesOptions,
): string[] {
  if (versions.length === 0)
    return [
      `There is no version of ${environment} yet: each successful deployment makes one.`,
      '',
      `${style('bold', 'Next:')} ${commandLine('deploy', '--env', environment)}`,
    ];
  const rows = versions.map((version) => [
    String(version.version),
    when(version.at),
    version.requestedBy,
    version.operation,
    duration(version.seconds),
    whatChanged(version, versions),
  ]);
  const [header = '', ...lines] = table([['Version', 'When', 'Who', 'Operation', 'Took', 'What changed'], ...rows]);
  const [newest] = versions;
  return [
    style('bold', header),
    ...lines.map((line) => truncate(line, columns)),
    '',
    `${count(versions.length, 'version')} of ${environment}; ${keep} are kept.`,
    ...(newest === undefined || versions.length < 2
      ? []
      : [
          `${style('bold', 'Next:')} ${commandLine('diff', String(newest.version - 1), String(newest.version), '--env', environment)}   (field by field)`,
          `${style('bold', 'Next:')} ${commandLine('rollback', '--env', environment, '--to', String(versions[1]?.version ?? ''))}   (brings it back)`,
        ]),
  ];
}

export function historyJson(versions: readonly PlatformVersion[]): Record<string, unknown>[] {
  return versions.map((version) => {
    const { services, releases, ...head } = version;
    return {
      ...head,
      services: services.length,
      releases: releases.length,
      changes: changesOf(version, versions) ?? null,
    };
  });
}

/** Everything of one version. */
export function versionLines(version: PlatformVersion, versions: readonly PlatformVersion[], style: Style): string[] {
  const {
    operation,
    environment,
    at,
    requestedBy,
    seconds,
    planDigest,
    workflowId,
    runId,
    restores,
    promotedFrom,
    imageTags,
    releases,
    services,
    acts = [],
  } = version;
  const changes = changesOf(version, versions);
  const took = new Map(services.map((service) => [service.name, service]));
  const tags = Object.entries(imageTags);
  return [
    style('bold', `Version ${version.version} of ${environment}`),
    ...table([
      [
        '  made by',
        `${OPERATION_WORDS[operation].one}${restores === undefined ? '' : ` to version ${restores}`}, ${duration(seconds)}`,
      ],
      ...(promotedFrom === undefined
        ? []
        : [
            [
              '  promoted from',
              `version ${promotedFrom.version} of ${promotedFrom.environment}, cluster ${promotedFrom.clusterUid.slice(0, 8)}`,
            ],
          ]),
      ['  when', when(at)],
      ['  by', requestedBy],
      ['  plan', planDigest],
      ['  workflow', `${workflowId}, run ${runId}`],
      ...(tags.length === 0 ? [] : [['  image tags', tags.map(([name, tag]) => `${name}=${tag}`).join(' ')]]),
    ]),
    ...(acts.length === 0
      ? []
      : [
          '',
          style('bold', 'What people decided:'),
          ...acts.map((act) => `  ${when(act.at)}  ${oneLine(actText(act))}`),
        ]),
    '',
    ...(changes === undefined
      ? ['What it changed is not known: the version before it is not kept.']
      : changes.length === 0
        ? ['No content changed.']
        : [style('bold', 'Changed:'), ...table(changes.map(changeRow))]),
    '',
    style('bold', `${count(releases.length, 'release')}:`),
    ...table([
      ['  Release', 'Revision', 'Digest', 'Chart', 'Took', 'Images'],
      ...releases.map((release) => [
        `  ${release.namespace}/${release.name}`,
        String(release.revision),
        release.digest,
        `${release.chart.name} ${release.chart.version}`,
        release.name === release.service ? secondsText(took.get(release.service)?.seconds) : '',
        release.images
          .map(({ image, digest }) =>
            digest === undefined || image.includes(digest) ? image : `${image} (${digest.slice(0, 19)})`,
          )
          .join(' '),
      ]),
    ]),
    ...releases.flatMap(({ name, migrations = [] }) =>
      migrations.length === 0
        ? []
        : [
            '',
            style('bold', `Migrations of ${name}:`),
            ...migrations.map(
              ({ id, noReturn }) =>
                `  ${id}${noReturn === undefined ? '' : style('bad', `   point of no return: ${oneLine(noReturn)}`)}`,
            ),
          ],
    ),
  ];
}

export function versionJson(version: PlatformVersion, versions: readonly PlatformVersion[]): Record<string, unknown> {
  return { ...version, changes: changesOf(version, versions) ?? null };
}

export function changeRow({ release, kind, what }: ReleaseChange): string[] {
  return [
    `  ${kind === 'added' ? '+' : kind === 'removed' ? '-' : '~'} ${release}`,
    kind === 'changed' ? what : `${kind}${what === '' ? '' : `: ${what}`}`,
  ];
}

/** @returns undefined where the version before is not kept */
function changesOf(version: PlatformVersion, versions: readonly PlatformVersion[]): ReleaseChange[] | undefined {
  if (version.version === 1) return changesBetween([], version.releases);
  const before = versions.find((candidate) => candidate.version === version.version - 1);
  return before === undefined ? undefined : changesBetween(before.releases, version.releases);
}

function whatChanged(version: PlatformVersion, versions: readonly PlatformVersion[]): string {
  const changes = changesOf(version, versions);
  const { promotedFrom } = version;
  const restored =
    version.restores !== undefined
      ? `back to ${version.restores}: `
      : promotedFrom === undefined
        ? ''
        : `${promotedFrom.environment} ${promotedFrom.version}: `;
  if (changes === undefined) return `${restored}?`;
  if (version.version === 1) return `${restored}${count(changes.length, 'release')}, the first`;
  const services = [...new Set(changes.map(({ service }) => service))];
  if (services.length === 0) return `${restored}no content`;
  if (services.length === 1 && changes[0]?.kind === 'changed')
    return `${restored}${changes[0].release}: ${changes[0].what}`;
  return `${restored}${services.slice(0, MOST_NAMES).join(', ')}${services.length > MOST_NAMES ? ` and ${services.length - MOST_NAMES} more` : ''}`;
}

/** Coordinated universal time, to the second. */
function when(at: string): string {
  return at.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');
}

function secondsText(seconds: number | undefined): string {
  return seconds === undefined || seconds === 0 ? '' : duration(seconds);
}
