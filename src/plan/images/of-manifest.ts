/** Images of a manifest, found without parsing all of it: the YAML of a platform takes seconds. Pure. */

const WORKLOAD = /^kind: ["']?(?:Deployment|StatefulSet|DaemonSet|ReplicaSet|Job|CronJob|Pod)["']?\s*$/m;
const IMAGE = /^\s*(?:- )?image: *["']?([^\s"'#]+)["']?\s*(?:#.*)?$/gm;

/** Each once, sorted. @param manifest YAML documents as Helm keeps them */
export function imagesOfManifest(manifest: string): string[] {
  const found = manifest
    .split(/^---.*$/m)
    .filter((document) => WORKLOAD.test(document))
    .flatMap((document) => [...document.matchAll(IMAGE)].map((match) => match[1] ?? ''));
  return [...new Set(found)].filter((image) => image !== '').sort();
}

const DATA = /^kind: ["']?(PersistentVolumeClaim|CustomResourceDefinition|Namespace)["']?\s*$/m;

/** Why removing a release would take data along; undefined where it would not. */
export function dataOfManifest(manifest: string): string | undefined {
  const kind = DATA.exec(manifest)?.[1];
  if (kind === 'PersistentVolumeClaim' || /^\s*volumeClaimTemplates:/m.test(manifest))
    return 'it keeps data in a volume';
  if (kind !== undefined) return `it brings a ${kind}, which would take everything below it along`;
  return undefined;
}
