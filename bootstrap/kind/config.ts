/**
 * The configuration that kind makes a cluster from: one control-plane node that hands the platform's NodePorts on to
 * this machine. Pure.
 */
import type { Catalog } from '../../src/catalog/schema.ts';

export interface KindSettings {
  name: string;
  /** Nodes besides the control plane. */
  workers: number;
  image?: string | undefined;
}

/** NodePorts of the platform, in their order. */
export function nodePorts(catalog: Catalog): { service: string; nodePort: number }[] {
  return catalog.services
    .flatMap(({ name, ports }) =>
      ports.flatMap(({ nodePort }) => (nodePort === undefined ? [] : [{ service: name, nodePort }])),
    )
    .sort((a, b) => a.nodePort - b.nodePort);
}

/** A `kind.x-k8s.io/v1alpha4` Cluster; JSON is YAML. Ports are open on loopback only. */
export function kindConfiguration(catalog: Catalog, { workers, image }: KindSettings): Record<string, unknown> {
  const node = (role: string): Record<string, unknown> => ({ role, ...(image === undefined ? {} : { image }) });
  return {
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    nodes: [
      {
        ...node('control-plane'),
        extraPortMappings: nodePorts(catalog).map(({ nodePort }) => ({
          containerPort: nodePort,
          hostPort: nodePort,
          listenAddress: '127.0.0.1',
          protocol: 'TCP',
        })),
      },
      ...Array.from({ length: workers }, () => node('worker')),
    ],
  };
}

/**
 * @param text what `docker port NODE` says: `31180/tcp -> 127.0.0.1:31180` a line @returns NodePorts that nothing hands
 * on
 */
export function unmapped(catalog: Catalog, text: string): number[] {
  const mapped = new Set(
    [...text.matchAll(/^(\d+)\/tcp -> \S+:(\d+)$/gm)].map(([, inside, outside]) =>
      inside === outside ? Number(inside) : 0,
    ),
  );
  return nodePorts(catalog)
    .map(({ nodePort }) => nodePort)
    .filter((port) => !mapped.has(port));
}
