/**
 * Which pods are simulated, from the nodes they run on, and what follows for contents that only a real pod can show.
 */
import { z } from 'zod';

/** What the simulator marks its nodes with. */
const ANNOTATION = 'kwok.x-k8s.io/node';
const LABEL = { name: 'type', value: 'kwok' };

const nodeSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    labels: z.record(z.string(), z.string()).nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
});
const podSchema = z.looseObject({ spec: z.looseObject({ nodeName: z.string().optional() }).optional() });

/** Names of the nodes that are simulated. */
export function simulatedNodes(nodes: readonly unknown[]): Set<string> {
  return new Set(
    nodes
      .map((node) => nodeSchema.parse(node).metadata)
      .filter(
        ({ labels, annotations }) => annotations?.[ANNOTATION] !== undefined || labels?.[LABEL.name] === LABEL.value,
      )
      .map(({ name }) => name),
  );
}

export function isSimulatedPod(pod: unknown, nodes: ReadonlySet<string>): boolean {
  const { spec } = podSchema.parse(pod);
  return spec?.nodeName !== undefined && nodes.has(spec.nodeName);
}

export interface SimulatedContents {
  bucketSets: number;
  realm: string | undefined;
  temporalNamespaces: number;
  ledgers: number;
  applications: number;
}

/** One line for people; empty when nothing is simulated. */
export function simulatedLine({
  bucketSets,
  realm,
  temporalNamespaces,
  ledgers,
  applications,
}: SimulatedContents): string {
  const parts = [
    ...(bucketSets > 0 ? [`buckets (${bucketSets} ${bucketSets === 1 ? 'set' : 'sets'})`] : []),
    ...(realm === undefined ? [] : [`realm ${realm}`]),
    ...(temporalNamespaces > 0 ? [`Temporal namespaces (${temporalNamespaces})`] : []),
    ...(ledgers > 0 ? [`migration ledgers (${ledgers})`] : []),
    ...(applications > 0 ? [`Argo CD's Applications (${applications})`] : []),
  ];
  return parts.length === 0 ? '' : `Simulated pods cannot show: ${parts.join(', ')}; there the Jobs' receipts count`;
}
