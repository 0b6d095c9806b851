/** What the values of a publisher's chart are made from, and what several charts ask for alike. */
import type { Catalog, Service } from '../../catalog/schema.ts';
import { kubernetesSecretName } from '../../contract/names.ts';
import type { Tree } from '../../environment/files/merge.ts';
import type { Environment } from '../../environment/schema.ts';
import { asTag, isDigest } from '../images/version.ts';
import { ingressOf } from '../inputs/ingress.ts';
import type { Release } from '../releases.ts';

export interface UpstreamContext {
  catalog: Catalog;
  environment: Environment;
  release: Release;
  service: Service;
  imageTags: Readonly<Record<string, string>>;
  replicas: number;
}

export type ChartValues = (context: UpstreamContext) => Tree;

/** Name of the Secret made from the n-th path that the release reads. */
export function secretName({ release }: UpstreamContext, index = 0): string {
  const use = release.secrets[index];
  if (use === undefined)
    throw new Error(`Service "${release.name}" reads no secret number ${index + 1}, but its upstream chart needs it.`);
  return kubernetesSecretName(use.path);
}

/** Position of the path that has this key, among those that the release reads; -1 where none has it. */
export function secretWithKey({ catalog, release }: UpstreamContext, key: string): number {
  return release.secrets.findIndex(({ path }) =>
    catalog.secretPaths.find((candidate) => candidate.path === path)?.keys.some(({ name }) => name === key),
  );
}

/** Value of a key that is no secret, for charts that do not take it from a Secret. */
export function fixedValue(context: UpstreamContext, key: string): string {
  const use = context.release.secrets[secretWithKey(context, key)];
  const found = context.catalog.secretPaths
    .find(({ path }) => path === use?.path)
    ?.keys.find(({ name }) => name === key);
  if (found?.kind !== 'fixed') {
    throw new Error(`No secret path that "${context.release.name}" reads has a fixed key "${key}".`);
  }
  return found.value;
}

/** The charts' own image stays, unless somebody asks for a tag or a digest. */
export function imageTag({ environment, release, imageTags }: UpstreamContext): Tree {
  const version = imageTags[release.name] ?? environment.images.tags[release.name];
  return version === undefined ? {} : { image: { tag: asTag(version) } };
}

/** The same for Bitnami's charts, which have a key for digests. */
export function imageVersion({ environment, release, imageTags }: UpstreamContext): Tree {
  const version = imageTags[release.name] ?? environment.images.tags[release.name];
  if (version === undefined) return {};
  return { image: isDigest(version) ? { digest: version } : { tag: version } };
}

export function resources({ environment, release }: UpstreamContext): Tree {
  const wanted = environment.resources[release.name];
  return wanted === undefined ? {} : { resources: wanted };
}

/** @param classKey what the chart calls the StorageClass */
export function volume({ environment, service }: UpstreamContext, classKey = 'storageClass'): Tree {
  const size = environment.storage.sizes[service.name] ?? service.volumeSize;
  return {
    ...(size === undefined ? {} : { size }),
    ...(environment.storage.class === undefined ? {} : { [classKey]: environment.storage.class }),
  };
}

export function nodePort({ service }: UpstreamContext, port: string): number | undefined {
  return service.ports.find(({ name }) => name === port)?.nodePort;
}

export interface IngressValues {
  host: string;
  /** Keys that the charts have alike. */
  common: Tree;
  /** As an Ingress has it; empty where something in front ends TLS. */
  tls: { hosts: string[]; secretName: string }[];
}

/** @returns undefined where the service gets no Ingress */
export function ingressValues({ environment, service }: UpstreamContext): IngressValues | undefined {
  const ingress = ingressOf(environment, service);
  if (ingress === undefined) return undefined;
  const { host, className, annotations, tlsSecret } = ingress;
  return {
    host,
    common: { enabled: true, ...(className === undefined ? {} : { ingressClassName: className }), annotations },
    tls: tlsSecret === undefined ? [] : [{ hosts: [host], secretName: tlsSecret }],
  };
}

/** Pull secrets as most charts want them; Bitnami's take names. */
export function pullSecrets({ environment }: UpstreamContext): { name: string }[] {
  return environment.images.pullSecrets.map((name) => ({ name }));
}

/** A Service named like the release, where the chart calls its own differently. */
export function aliasService({ release, service }: UpstreamContext, selector: Record<string, string>): Tree {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: release.name, namespace: release.namespace },
    spec: {
      selector: { 'app.kubernetes.io/instance': release.name, ...selector },
      ports: service.ports.map(({ name, port, containerPort }) => ({ name, port, targetPort: containerPort })),
    },
  };
}

/** A Service of its own for the one port that is reached from outside, named `<release>-<port>`. */
export function nodePortService(context: UpstreamContext, portName: string, selector: Record<string, string>): Tree {
  const { release, service } = context;
  const port = service.ports.find(({ name }) => name === portName);
  if (port?.nodePort === undefined)
    throw new Error(`Service "${release.name}" has no port "${portName}" with a NodePort.`);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `${release.name}-${portName}`, namespace: release.namespace },
    spec: {
      type: 'NodePort',
      selector: { 'app.kubernetes.io/instance': release.name, ...selector },
      ports: [{ name: portName, port: port.port, targetPort: port.containerPort, nodePort: port.nodePort }],
    },
  };
}
