/** What a release applied, from Helm's own record: objects with their identity, and what its hooks make. */
import type { Tree } from '../../environment/files/merge.ts';
import { asHelmApplies, treeOf } from '../inputs/helm-marks.ts';
import { kubernetesDocuments } from '../inputs/kubernetes-yaml.ts';
import type { Subject } from './ignore.ts';

export interface RecordedObject extends Subject {
  apiVersion: string;
  object: Tree;
}

/**
 * @param release objects without a namespace of their own are given its; `namespaced` says which kinds have one
 * @throws Error when a document is no Kubernetes object
 */
export function recordedObjects(
  manifest: string,
  release: { namespace: string; name: string },
  namespaced: (apiVersion: string, kind: string) => boolean,
): RecordedObject[] {
  return kubernetesDocuments(manifest).flatMap((document): RecordedObject[] => {
    const value: unknown = document.toJS();
    if (value === null || value === undefined) return [];
    const metadata = treeOf(treeOf(value)['metadata']);
    const { apiVersion, kind } = treeOf(value);
    const { name, namespace } = metadata;
    if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string')
      throw new Error(
        `Helm's record of ${release.namespace}/${release.name} holds a document that is no Kubernetes object`,
      );
    return [
      {
        apiVersion,
        kind,
        name,
        object: asHelmApplies(treeOf(value), release),
        ...(namespaced(apiVersion, kind)
          ? { namespace: typeof namespace === 'string' ? namespace : release.namespace }
          : {}),
      },
    ];
  });
}

/** Names of the definitions in a manifest, or a file of a chart's `crds` folder, without reading their long schemas. */
export function definitionNames(yaml: string): string[] {
  return yaml.split(/^---.*$/m).flatMap((document) => {
    if (!/^kind: ["']?CustomResourceDefinition["']?\s*$/m.test(document)) return [];
    const name =
      /^metadata:\n(?:^[ #].*\n)*?^ {2}name: ["']?([\w.-]+)["']?\s*$/m.exec(document)?.[1] ??
      /^metadata: *\{(?:.*,)? *name: *["']?([\w.-]+)/m.exec(document)?.[1];
    return name === undefined ? [] : [name];
  });
}
