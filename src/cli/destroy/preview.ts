/** What a destruction would take away and what it would leave, for the person who decides. Pure. */
import { count, wrap } from '../shared/format.ts';

interface Named {
  kind: string;
  namespace: string;
  name: string;
}

export interface DestroyPreview {
  deleteData: boolean;
  /** Address of its API server. */
  cluster: string;
  services: number;
  releases: number;
  /** Those of the platform that exist. */
  namespaces: string[];
  volumes: Named[];
  /** What is in the platform's namespaces and not the platform's. */
  foreign: Named[];
  /** Releases that are left alone, each with the reason. */
  notes: string[];
}

const COLUMNS = 96;

export function previewLines(
  { deleteData, cluster, services, releases, namespaces, volumes, foreign, notes }: DestroyPreview,
  environment: string,
): string[] {
  const volumesText = `${count(volumes.length, 'volume')}${volumes.length === 0 ? '' : `: ${volumes.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')}`}`;
  const data = [
    ...(volumes.length > 0 ? [volumesText] : []),
    "Vault's data with all passwords; databases and buckets",
    deleteData
      ? 'the history of platform versions and accepted drift'
      : "Vault's unseal keys; the history of platform versions and accepted drift",
  ];
  const goes = [
    `${count(releases, 'release')} of ${count(services, 'service')}, dependents first`,
    'the Kubernetes Secrets made from Vault, and definitions of which no object is left',
    ...(namespaces.length > 0
      ? [
          `the namespaces ${namespaces.join(', ')}${deleteData && foreign.length === 0 ? '' : ', unless they hold what stays'}`,
        ]
      : []),
  ];
  const stays = [
    ...(deleteData ? ["Vault's unseal keys are put aside, not deleted: a backup of its data needs them"] : data),
    ...foreign.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}: not ours`),
    ...notes,
  ];
  return [
    '',
    `The platform of "${environment}" on ${cluster} is to be taken down.`,
    'Goes:',
    ...items([...goes, ...(deleteData ? data : [])]),
    'Stays:',
    ...items(stays),
    '',
  ];
}

function items(texts: readonly string[]): string[] {
  return texts.flatMap((text) =>
    wrap(text, COLUMNS - 4).map((line, index) => `${index === 0 ? '  - ' : '    '}${line}`),
  );
}
