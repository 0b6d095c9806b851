/** Everything that the API server, or Helm, would refuse about rendered releases, alone and together. Pure. */
import { isTree } from '../../environment/files/merge.ts';
import type { ManifestObject } from '../diff/manifest.ts';
import { treesOf } from './rules/rule.ts';
import type { Schema, Schemas } from './schemas.ts';
import { objectSizeProblem } from './size.ts';
import { objectProblems } from './validate.ts';

export interface RenderedRelease {
  release: string;
  namespace: string;
  objects: ManifestObject[];
}

/** @returns a line for each problem: `release web: Deployment apps/web: spec.replicas: …` */
export function releaseProblems(
  releases: readonly RenderedRelease[],
  schemas: Schemas,
  custom: ReadonlyMap<string, Schema>,
): string[] {
  return [
    ...releases.flatMap(({ release, namespace, objects }) =>
      objects.flatMap((one) => {
        const found = (objectProblems(one.object, schemas, custom) ?? []).map(({ path, message }) =>
          path === '' ? message : `${path}: ${message}`,
        );
        const size = found.length === 0 ? objectSizeProblem(one) : undefined;
        return [...found, ...(size === undefined ? [] : [size])].map(
          (message) => `release ${release}: ${label(one, namespace)}: ${message}`,
        );
      }),
    ),
    ...repeatedObjects(releases),
    ...repeatedNodePorts(releases),
  ];
}

function label({ kind, name, namespace }: ManifestObject, home: string): string {
  return `${kind} ${namespace ?? home}/${name}`;
}

/** Helm takes no object that another release has made. */
function repeatedObjects(releases: readonly RenderedRelease[]): string[] {
  const owners = new Map<string, string>();
  return releases.flatMap(({ release, namespace, objects }) =>
    objects
      .filter(({ definition }) => !definition)
      .flatMap((one) => {
        const key = `${one.apiVersion.replace(/\/?v[^/]*$/, '')} ${label(one, namespace)}`;
        const owner = owners.get(key);
        owners.set(key, release);
        if (owner === undefined) return [];
        const where = owner === release ? 'twice in this release' : `in release ${owner}, too`;
        return [`release ${release}: ${label(one, namespace)}: is ${where}: Helm refuses that`];
      }),
  );
}

const protocolOf = (value: unknown): string => (typeof value === 'string' ? value : 'TCP');

/** A cluster has each of them once. */
function repeatedNodePorts(releases: readonly RenderedRelease[]): string[] {
  const owners = new Map<string, string>();
  return releases.flatMap(({ release, namespace, objects }) =>
    objects
      .filter(({ kind }) => kind === 'Service')
      .flatMap((one) => {
        const spec = isTree(one.object['spec']) ? one.object['spec'] : {};
        return treesOf(spec['ports']).flatMap(({ nodePort, protocol }) => {
          if (typeof nodePort !== 'number' || nodePort === 0) return [];
          const key = `${nodePort}/${protocolOf(protocol)}`;
          const owner = owners.get(key);
          const own = label(one, namespace);
          owners.set(key, own);
          return owner === undefined || owner === own
            ? []
            : [`release ${release}: ${own}: has the nodePort ${nodePort}, which ${owner} has, too`];
        });
      }),
  );
}
