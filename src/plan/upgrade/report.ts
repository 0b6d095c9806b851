/** What was found before an upgrade of Kubernetes: in one form, for people and for programs. Pure. */
import type { ApiLifecycle } from './apis.ts';
import {
  apiFindings,
  type ApiFinding,
  findingText,
  kubernetesVersion,
  type KubernetesVersion,
  stepProblems,
  type UsedApi,
  versionText,
} from './judge.ts';

interface UpgradeReport {
  /** `1.36` */
  target: string;
  /** Version of the cluster; absent where the cluster was not asked. */
  current?: string;
  /** Problems of the upgrade itself: skipped minor versions, nodes that are too old. */
  cluster: string[];
  charts: { release: string; message: string }[];
  rendered: (ApiFinding & { release: string })[];
  /**
   * Findings in the manifests of the deployed revisions, as Helm recorded them: the next `helm upgrade` reads those.
   */
  running: (ApiFinding & { release: string; revision: number })[];
  /** Findings in the manifests of revisions that a rollback would apply. */
  kept: (ApiFinding & { release: string; revision: number; versions: number[] })[];
  /** Field managers that write through such an API version now. */
  written: (ApiFinding & { manager: string })[];
  notes: string[];
  /** Nothing of it keeps the upgrade from going well; what is deprecated does not count. */
  ready: boolean;
}

export interface UpgradeFacts {
  rendered: ReadonlyMap<string, readonly UsedApi[]>;
  charts: UpgradeReport['charts'];
  notes: readonly string[];
  /** Absent: the cluster was not looked at. */
  survey?: {
    version: string;
    records: readonly {
      release: string;
      revision: number;
      newest: boolean;
      versions: number[];
      used: readonly UsedApi[];
    }[];
    written: readonly (UsedApi & { manager: string })[];
    kubelets: readonly { node: string; version: string }[];
    notes: readonly string[];
  };
}

export function upgradeReport(
  target: KubernetesVersion,
  { rendered, charts, notes, survey }: UpgradeFacts,
  lifecycles: readonly ApiLifecycle[],
): UpgradeReport {
  const find = <T extends object>(used: readonly UsedApi[], more: T): (ApiFinding & T)[] =>
    apiFindings(used, target, lifecycles).map((finding) => ({ ...finding, ...more }));
  const current = survey === undefined ? undefined : kubernetesVersion(survey.version);
  const records = survey?.records ?? [];
  const found = {
    cluster: survey === undefined || current === undefined ? [] : stepProblems(current, target, survey.kubelets),
    charts,
    rendered: [...rendered].flatMap(([release, used]) => find(used, { release })),
    running: records
      .filter(({ newest }) => newest)
      .flatMap(({ release, revision, used }) => find(used, { release, revision })),
    kept: records
      .filter(({ newest, versions }) => !newest && versions.length > 0)
      .flatMap(({ release, revision, versions, used }) => find(used, { release, revision, versions })),
    written: [...Map.groupBy(survey?.written ?? [], ({ manager }) => manager)].flatMap(([manager, used]) =>
      find(used, { manager }),
    ),
  };
  const removed = [found.rendered, found.running, found.kept, found.written].some((list) =>
    list.some(({ verdict }) => verdict === 'removed'),
  );
  return {
    target: versionText(target),
    ...(survey === undefined ? {} : { current: survey.version }),
    ...found,
    notes: [...notes, ...(survey?.notes ?? [])],
    ready: !removed && found.cluster.length === 0 && charts.length === 0,
  };
}

export function upgradeLines(report: UpgradeReport): string[] {
  const { target, current, cluster, charts, rendered, running, kept, written, notes, ready } = report;
  const anything = [rendered, running, kept, written].some((list) => list.length > 0);
  return [
    current === undefined
      ? `Kubernetes ${target}: what the charts render; the cluster was not looked at.`
      : `Kubernetes ${target}, from ${current}:`,
    ...section('The cluster', cluster),
    ...section(
      'Charts that refuse it',
      charts.map(({ release, message }) => `${release}: ${message}`),
    ),
    ...section(
      'Rendered by the next deployment',
      rendered.map((one) => `${one.release}: ${findingText(one)}`),
    ),
    ...section(
      "In Helm's record of what runs: after the upgrade Helm cannot read it any more. Deploy what renders another version before",
      running.map((one) => `${one.release}, revision ${one.revision}: ${findingText(one)}`),
    ),
    ...section(
      'Applied by a rollback: after the upgrade these versions cannot be gone back to',
      kept.map((one) => `version ${one.versions.join(', ')}, ${one.release}: ${findingText(one)}`),
    ),
    ...section(
      'Written by others, through a version that goes away',
      written.map((one) => `${one.manager}: ${findingText(one)}`),
    ),
    ...section('Not looked at', notes),
    '',
    ready
      ? anything
        ? 'Nothing is in the way; what is deprecated goes away later.'
        : 'Nothing is in the way.'
      : 'Mend what is removed or refused before the upgrade.',
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];
}
