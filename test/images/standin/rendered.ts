/**
 * Pods as the charts render them, with an invented value for every key of a Secret: what a stand-in finds there,
 * without a cluster.
 */
import type { Catalog } from '../../../src/catalog/schema.ts';
import { goldenObjects } from '../../helm/golden.ts';
import { type Container, podTemplate } from '../../helm/pods.ts';
import { discover, type Discovery } from './discover.ts';
import { profileOf } from './profiles.ts';

export interface RenderedPod {
  /** Row of the catalog. */
  service: string;
  /** Name of the Deployment or StatefulSet: what the pod's name begins with. */
  workload: string;
  /** Repository, without a tag. */
  image: string;
  container: Container;
  env: Record<string, string>;
  readFile: (path: string) => string | undefined;
}

/** Invented value of a key; fixed ones are what the catalog says. */
export function valueOf(catalog: Catalog, path: string, key: string): string {
  const declared = catalog.secretPaths
    .find((candidate) => candidate.path === path)
    ?.keys.find(({ name }) => name === key);
  return declared?.kind === 'fixed' ? declared.value : `${path}X${key}`.replaceAll(/[^A-Za-z0-9]/g, '');
}

/**
 * Every pod of the platform's long-running workloads. @throws when a container asks for a Secret or key that the
 * catalog does not have
 */
export function renderedPods(catalog: Catalog): RenderedPod[] {
  return goldenObjects().flatMap(({ release, objects }) =>
    objects
      .filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')
      .flatMap((object) => {
        const spec = podTemplate(object)?.spec;
        const container = spec?.containers[0];
        if (spec === undefined || container === undefined) return [];
        const env = environmentOf(catalog, container);
        const files = (spec.initContainers ?? []).map((init) => writtenBy(init, environmentOf(catalog, init)));
        return [
          {
            service: release.service,
            workload: object.metadata.name,
            image: container.image.replace(/:[^:/]+$/, ''),
            container,
            env,
            readFile: (path: string) => files.find((file) => file?.path === path)?.content,
          },
        ];
      }),
  );
}

/** What a stand-in would find in this pod. */
export function discoverIn(pod: RenderedPod, env: Record<string, string> = pod.env): Discovery {
  return discover({
    env,
    profile: profileOf(pod.image, pod.container.args ?? []),
    self: pod.workload,
    readFile: pod.readFile,
  });
}

/** As kubelet puts it together: a reference reaches only what stands above it. */
function environmentOf(catalog: Catalog, container: Container): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env ?? []) {
    const secret = valueFrom?.secretKeyRef;
    if (secret !== undefined) {
      const path = catalog.secretPaths.find(
        (candidate) => `vault-${candidate.path.replaceAll('/', '-')}` === secret.name,
      );
      if (path?.keys.some((key) => key.name === secret.key) !== true)
        throw new Error(`${container.name} asks for ${secret.name}, key ${secret.key}, which no Vault path gives`);
      env[name] = valueOf(catalog, path.path, secret.key);
    } else if (value !== undefined)
      env[name] = value.replaceAll(/\$\(([A-Z0-9_]+)\)/g, (whole, other: string) => env[other] ?? whole);
    else env[name] = 'field';
  }
  return env;
}

/** The file of an init container that writes one with a here-document. */
function writtenBy({ args }: Container, env: Record<string, string>): { path: string; content: string } | undefined {
  const match = /cat > (\S+) <<EOF\n([\s\S]*?)\nEOF/.exec(args?.[0] ?? '');
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { path: match[1], content: match[2].replaceAll(/\$([A-Z_]+)/g, (_, name: string) => env[name] ?? '') };
}
