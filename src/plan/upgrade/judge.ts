/** Obstacles to an upgrade to another version of Kubernetes. Pure. */
import type { ApiLifecycle } from './apis.ts';

export interface KubernetesVersion {
  major: number;
  minor: number;
}

export interface UsedApi {
  apiVersion: string;
  kind: string;
  /** `data/database`, or the name alone of an object without a namespace. */
  object: string;
}

export interface ApiFinding extends UsedApi {
  verdict: 'removed' | 'deprecated';
  /** `1.25`: since when it is not served, or warned of. */
  since: string;
  /** The Kubernetes version that removes an API version which is only deprecated so far. */
  removedIn?: string;
  use?: string;
}

/** Kubelets may be that much older than the API server (Kubernetes' version skew policy). */
const KUBELET_SKEW = 3;

/** @param text `1.36`, `v1.36`, `1.36.2`, `v1.35.1-gke.100`. @returns undefined for what is no version */
export function kubernetesVersion(text: string): KubernetesVersion | undefined {
  const match = /^v?(\d+)\.(\d+)\+?(?:[.+-].*)?$/.exec(text.trim());
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
}

export const versionText = ({ major, minor }: KubernetesVersion): string => `${major}.${minor}`;

/** @returns a finding for each that is not served, or warned of, by that version; each object once */
export function apiFindings(
  used: readonly UsedApi[],
  target: KubernetesVersion,
  lifecycles: readonly ApiLifecycle[],
): ApiFinding[] {
  const known = new Map(lifecycles.map((one) => [`${one.apiVersion} ${one.kind}`, one]));
  const seen = new Set<string>();
  return used.flatMap((one): ApiFinding[] => {
    const { apiVersion, kind, object } = one;
    const key = `${apiVersion} ${kind}`;
    const lifecycle = known.get(key);
    if (lifecycle === undefined || seen.has(`${key} ${object}`)) return [];
    seen.add(`${key} ${object}`);
    const { deprecated, removed, use } = lifecycle;
    const more = use === undefined ? {} : { use };
    if (removed !== undefined && removed <= target.minor)
      return [{ apiVersion, kind, object, verdict: 'removed', since: `1.${removed}`, ...more }];
    if (deprecated === undefined || deprecated > target.minor) return [];
    return [
      {
        apiVersion,
        kind,
        object,
        verdict: 'deprecated',
        since: `1.${deprecated}`,
        ...(removed === undefined ? {} : { removedIn: `1.${removed}` }),
        ...more,
      },
    ];
  });
}

/** Obstacles to a step from one version to another. @returns sentences; empty where there are none */
export function stepProblems(
  current: KubernetesVersion,
  target: KubernetesVersion,
  kubelets: readonly { node: string; version: string }[],
): string[] {
  const old = kubelets.filter(({ version }) => {
    const kubelet = kubernetesVersion(version);
    return kubelet !== undefined && target.minor - kubelet.minor > KUBELET_SKEW;
  });
  return [
    ...(target.minor < current.minor
      ? [
          `the cluster is at ${versionText(current)} already: a control plane is not taken back to an older minor version`,
        ]
      : []),
    ...(target.minor - current.minor > 1
      ? [
          `from ${versionText(current)} to ${versionText(target)} a control plane goes one minor version at a time: ${between(current, target)}`,
        ]
      : []),
    ...old.map(
      ({ node, version }) =>
        `node ${node} has kubelet ${version}: it may be at most ${KUBELET_SKEW} minor versions older than the API server`,
    ),
  ];
}

function between(current: KubernetesVersion, target: KubernetesVersion): string {
  return Array.from({ length: target.minor - current.minor }, (_, index) => `1.${current.minor + index + 1}`).join(
    ', ',
  );
}

/** `policy/v1beta1 PodDisruptionBudget data/x: removed in 1.25, use policy/v1` */
export function findingText({ apiVersion, kind, object, verdict, since, removedIn, use }: ApiFinding): string {
  const what = verdict === 'removed' ? `removed in ${since}` : `deprecated since ${since}`;
  return `${apiVersion} ${kind} ${object}: ${[
    what,
    ...(removedIn === undefined ? [] : [`removed in ${removedIn}`]),
    ...(use === undefined ? [] : [`use ${use}`]),
  ].join(', ')}`;
}
