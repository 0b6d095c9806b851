/**
 * Definitions that charts bring along: Helm makes them once and never looks at them again, so no release repairs them.
 */
import type { StoredRelease } from '../../clients/helm/index.ts';
import { type KubernetesClient, type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import type { DriftFinding } from '../../contract/drift.ts';
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { digestOf } from '../../plan/digest.ts';
import { differences } from '../../plan/drift/compare.ts';
import type { Ignore } from '../../plan/drift/ignore.ts';
import { authorOf, HELM_MANAGER, isSystem, managedEntries } from '../../plan/fields/managed.ts';
import { definitionNames } from '../../plan/drift/manifest.ts';
import type { Fingerprint } from '../../plan/diff/sensitive.ts';
import { type AppliedObject, changedObject, type Judged } from '../../plan/drift/object.ts';
import { kubernetesDocuments } from '../../plan/inputs/kubernetes-yaml.ts';
import type { ReleaseSurvey } from '../../plan/drift/releases.ts';
import { notObservable, notSeen } from './listing.ts';
import type { RecordedReleases } from './recorded.ts';

const KIND = 'CustomResourceDefinition';
const LIST = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export async function definitionDrift(
  kubernetes: Pick<KubernetesClient, 'list' | 'get'>,
  { stored }: RecordedReleases,
  survey: ReleaseSurvey,
  ignore: Ignore,
  fingerprint: Fingerprint,
  signal: AbortSignal,
): Promise<Judged> {
  const wanted = [...stored].flatMap(([key, release]) => {
    const service = survey.baselines.get(key)?.release?.service;
    return service === undefined
      ? []
      : definitionFiles(release).flatMap((yaml) =>
          definitionNames(yaml).map((name) => ({ name, yaml, release: release.name, service })),
        );
  });
  if (wanted.length === 0) return { findings: [], ignored: 0 };
  let live: KubernetesObject[];
  try {
    live = (await kubernetes.list(LIST, { metadataOnly: true }, signal)).items;
  } catch (error) {
    return { findings: [notObservable(KIND, undefined, notSeen(error, signal))], ignored: 0 };
  }
  const judged = await Promise.all(
    wanted.map(async ({ name, yaml, release, service }): Promise<Judged> => {
      const found = live.find(({ metadata }) => metadata.name === name);
      if (found === undefined || found.metadata.deletionTimestamp) {
        if (ignore({ kind: KIND, name }, []) !== undefined) return { findings: [], ignored: 1 };
        const finding: DriftFinding = {
          key: `kubernetes/${KIND}/${name}`,
          kind: 'missing',
          area: 'kubernetes',
          object: `${KIND} ${name}`,
          release,
          service,
          valueDigest: digestOf('absent'),
          repair: 'field',
        };
        return {
          findings: [
            found === undefined ? finding : { ...finding, note: 'it is being deleted, with all objects of its kind' },
          ],
          ignored: 0,
        };
      }
      // A newer chart may bring a newer definition, which Helm leaves as it is: only what somebody else wrote is drift.
      if (managedEntries(found).every((entry) => isSystem(entry) || entry.manager === HELM_MANAGER))
        return { findings: [], ignored: 0 };
      let whole: KubernetesObject | undefined;
      try {
        whole = await kubernetes.get(paths.customResourceDefinition(name), signal);
      } catch (error) {
        return { findings: [notObservable(`${KIND} ${name}`, undefined, notSeen(error, signal))], ignored: 0 };
      }
      const object = whole === undefined ? undefined : definitionIn(yaml, name);
      if (whole === undefined || object === undefined) return { findings: [], ignored: 0 };
      const applied: AppliedObject = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: KIND,
        name,
        object,
        release,
        service,
        job: false,
      };
      const others = differences(object, whole).filter(({ path }) => authorOf(whole, path).by !== HELM_MANAGER);
      const { findings, ignored } = changedObject(applied, whole, others, ignore, fingerprint);
      return { ignored, findings: findings.map((finding) => ({ ...finding, repair: 'field' })) };
    }),
  );
  return {
    findings: judged.flatMap(({ findings }) => findings),
    ignored: judged.reduce((sum, { ignored }) => sum + ignored, 0),
  };
}

/** Texts of the files that define kinds. */
export function definitionFiles({ chart }: Pick<StoredRelease, 'chart'>): string[] {
  return chart.files
    .filter(({ name }) => /^crds\/.*\.ya?ml$/.test(name))
    .map(({ data }) => Buffer.from(data, 'base64').toString('utf8'));
}

/** One definition out of a file; its long schema is read only when it is needed. */
export function definitionIn(yaml: string, name: string): Tree | undefined {
  const text = yaml.split(/^---.*$/m).find((document) => definitionNames(document).includes(name));
  const value: unknown = text === undefined ? undefined : kubernetesDocuments(text)[0]?.toJS();
  return isTree(value) ? value : undefined;
}
