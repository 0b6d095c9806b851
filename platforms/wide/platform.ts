/**
 * Any number of services in layers, to see how deployments behave with many: below them Vault, then `layers` layers in
 * which each service waits for two of the layer before. Layers are filled in turn, so that one service more changes no
 * other row. An environment says how many:
 *
 *     platform: wide
 *     platformParameters: { services: 200, layers: 5 }
 */
import type { CatalogInput, ServiceInput } from '../../src/catalog/schema.ts';

const DEFAULT_SERVICES = 100;
const DEFAULT_LAYERS = 5;
const NAMESPACES = 4;
const MOST_SERVICES = 10_000;
/** Number of the first service of the layers; Vault has 1. */
const FIRST = 2;

interface Parameters {
  /** How many services, Vault apart. */
  services?: unknown;
  /** How many of them follow each other at most. */
  layers?: unknown;
}

export default function wide({ services, layers, ...unknown }: Parameters): CatalogInput {
  const [other] = Object.keys(unknown);
  if (other !== undefined) throw new Error(`there is no parameter "${other}"; known: services, layers`);
  const count = wholeNumber('services', services ?? DEFAULT_SERVICES, MOST_SERVICES);
  const depth = Math.min(wholeNumber('layers', layers ?? DEFAULT_LAYERS, MOST_SERVICES), count);
  return {
    name: 'wide',
    title: 'Wide',
    phases: [
      { number: 1, title: 'Infrastructure' },
      ...Array.from({ length: depth }, (_, layer) => ({ number: layer + 2, title: `Layer ${layer + 1}` })),
    ],
    namespaces: [
      { name: 'vault-system', purpose: 'Secrets management', podSecurity: 'restricted' },
      ...Array.from({ length: NAMESPACES }, (_, index) => ({
        name: namespaceOf(index),
        purpose: 'A part of the services',
        podSecurity: 'restricted' as const,
      })),
    ],
    secretPaths: [
      {
        path: 'layers/token',
        description: 'What the services of the first layer share',
        keys: [{ kind: 'generated', name: 'token', format: 'alphanumeric', length: 32 }],
      },
    ],
    services: [vault, ...Array.from({ length: count }, (_, index) => serviceAt(index, depth))],
  };
}

function wholeNumber(name: string, value: unknown, most: number): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > most) {
    throw new Error(`${name} has to be a whole number from 1 to ${most}, and is "${String(value)}"`);
  }
  return number;
}

function namespaceOf(index: number): string {
  return `layers-${(index % NAMESPACES) + 1}`;
}

function nameOf(layer: number, index: number): string {
  return `layer-${layer + 1}-${index + 1}`;
}

/** @param layers how many there are; the first ones may have one service more than the last */
function serviceAt(index: number, layers: number): ServiceInput {
  const [layer, place] = [index % layers, Math.floor(index / layers)];
  // Only those that are there before this one is added.
  const before = [place, Math.max(place - 1, 0)].map((other) => nameOf(layer - 1, other));
  return {
    number: FIRST + index,
    phase: layer + 2,
    name: nameOf(layer, place),
    namespace: namespaceOf(index),
    module: 'layers',
    description: `Number ${place + 1} of layer ${layer + 1}`,
    chart: { bundled: 'service' },
    image: { repository: 'layer', tag: '1.0.0', own: true },
    dependsOn: layer === 0 ? ['vault'] : [...new Set(before)],
    health: { kind: 'http', port: 8080, path: '/health' },
    ports: [{ name: 'http', port: 80, containerPort: 8080, protocol: 'http' }],
    secrets: layer === 0 ? [{ path: 'layers/token', delivery: 'kubernetes' }] : [],
    startupSeconds: 2,
    healthTimeoutSeconds: 300,
  };
}

const vault: ServiceInput = {
  number: 1,
  phase: 1,
  name: 'vault',
  namespace: 'vault-system',
  module: 'infrastructure',
  description: 'Secrets management',
  chart: { bundled: 'vault' },
  image: { repository: 'docker.io/hashicorp/vault', tag: '1.21.4' },
  health: { kind: 'vault', port: 8200 },
  ports: [
    { name: 'http', port: 8200, containerPort: 8200, protocol: 'http' },
    { name: 'cluster', port: 8201, containerPort: 8201, protocol: 'tcp' },
  ],
  after: [{ kind: 'vault-init', name: 'vault-init', startupSeconds: 2 }],
  startupSeconds: 8,
  healthTimeoutSeconds: 300,
  stateful: true,
  volumeSize: '1Gi',
};
