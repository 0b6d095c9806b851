/**
 * What the publishers' charts were seen to make of our values, and small charts that make the same, for machines that
 * cannot have the real ones.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { helmHome } from './chart-repository.ts';

const run = promisify(execFile);
const labels = z.record(z.string(), z.string());

const serviceSchema = z.strictObject({
  type: z.string().optional(),
  headless: z.literal(true).optional(),
  selector: labels.optional(),
  ports: z.array(
    z.strictObject({
      name: z.string().optional(),
      port: z.number(),
      targetPort: z.union([z.number(), z.string()]),
      nodePort: z.number().optional(),
    }),
  ),
});
const workloadSchema = z.strictObject({
  kind: z.enum(['Deployment', 'StatefulSet', 'DaemonSet', 'Job']),
  strategy: z.string().optional(),
  serviceName: z.string().optional(),
  replicas: z.number().optional(),
  selector: labels,
  labels,
  serviceAccount: z.string(),
  secrets: z.array(z.string()).default([]),
  claims: labels.default({}),
  containers: z.array(
    z.strictObject({
      name: z.string(),
      image: z.string(),
      ports: z.record(z.string(), z.number()).default({}),
      ready: z.string(),
    }),
  ),
  initContainers: z.array(z.strictObject({ name: z.string(), image: z.string() })).default([]),
});
const factsSchema = z.strictObject({
  charts: z.record(
    z.string(),
    z.strictObject({
      version: z.string(),
      appVersion: z.string(),
      keys: z.array(z.string()),
      open: z.array(z.string()),
    }),
  ),
  releases: z.record(
    z.string(),
    z.strictObject({
      chart: z.string(),
      objects: z.array(z.string()),
      hooks: z.array(z.string()).default([]),
      claims: labels.default({}),
      services: z.record(z.string(), serviceSchema),
      workloads: z.record(z.string(), workloadSchema),
      definitions: z
        .array(
          z.strictObject({
            group: z.string(),
            kind: z.string(),
            plural: z.string(),
            scope: z.string(),
            versions: z.array(z.string()),
          }),
        )
        .default([]),
      webhooks: z
        .array(z.strictObject({ name: z.string(), service: z.string(), failurePolicy: z.string() }))
        .default([]),
    }),
  ),
});
export type UpstreamFacts = z.infer<typeof factsSchema>;
export type ReleaseFacts = UpstreamFacts['releases'][string];
type Workload = z.infer<typeof workloadSchema>;

export async function upstreamFacts(): Promise<UpstreamFacts> {
  return factsSchema.parse(
    parse(await readFile(join(import.meta.dirname, '..', '..', 'helm', 'upstream-facts.yaml'), 'utf8')),
  );
}

/**
 * Packages one small chart under a publisher's name and version: per release its Services, workloads, accounts, claims
 * and kinds, with the names, labels, ports, images and update strategies that were seen.
 */
export async function packageFromFacts(
  helm: string,
  folder: string,
  facts: UpstreamFacts,
  name: string,
): Promise<void> {
  const source = join(folder, `source-${name}`, name);
  await mkdir(join(source, 'templates'), { recursive: true });
  await writeFile(
    join(source, 'Chart.yaml'),
    stringify({ apiVersion: 'v2', name, version: facts.charts[name]!.version, description: 'for a test' }),
  );
  for (const [release, seen] of Object.entries(facts.releases).filter(([, { chart }]) => chart === name)) {
    const text = objectsOf(seen)
      .map((object) => stringify(object, { aliasDuplicateObjects: false }))
      .join('---\n');
    await writeFile(
      join(source, 'templates', `${release}.yaml`),
      `{{- if eq .Release.Name "${release}" }}\n${text}{{- end }}\n`,
    );
  }
  await run(helm, ['package', source, '--destination', folder], { env: helmHome(folder) });
  await rm(join(folder, `source-${name}`), { recursive: true });
}

function objectsOf(seen: ReleaseFacts): object[] {
  const accounts = seen.objects
    .filter((object) => object.startsWith('ServiceAccount/'))
    .map((object) => object.split('/')[1]!);
  return [
    ...seen.definitions.map(({ group, kind, plural, scope, versions }) => ({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope,
        names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
        versions: versions.map((version, index) => ({
          name: version,
          served: true,
          storage: index === versions.length - 1,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        })),
      },
    })),
    ...accounts.map((account) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account } })),
    ...Object.entries(seen.claims).map(([claim, storage]) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: claim },
      spec: claimSpec(storage),
    })),
    ...Object.entries(seen.services).map(([service, { type, headless, selector, ports }]) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: service },
      spec: {
        ...(type === undefined ? {} : { type }),
        ...(headless ? { clusterIP: 'None' } : {}),
        ...(selector ? { selector } : {}),
        ports,
      },
    })),
    ...Object.entries(seen.workloads).map(([workload, object]) => workloadObject(workload, object)),
  ];
}

function workloadObject(
  name: string,
  {
    kind,
    strategy,
    serviceName,
    replicas,
    selector,
    labels: podLabels,
    serviceAccount,
    containers,
    initContainers,
    claims,
  }: Workload,
): object {
  const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  return {
    apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
    kind,
    metadata: { name, labels: podLabels },
    spec: {
      selector: { matchLabels: selector },
      ...(replicas === undefined ? {} : { replicas }),
      ...(strategy === undefined
        ? {}
        : { [kind === 'StatefulSet' ? 'updateStrategy' : 'strategy']: { type: strategy } }),
      ...(serviceName === undefined ? {} : { serviceName }),
      ...(Object.keys(claims).length === 0
        ? {}
        : {
            volumeClaimTemplates: Object.entries(claims).map(([claim, storage]) => ({
              metadata: { name: claim },
              spec: claimSpec(storage),
            })),
          }),
      template: {
        metadata: { labels: podLabels },
        spec: {
          serviceAccountName: serviceAccount,
          securityContext: { runAsNonRoot: true, runAsUser: 1001, seccompProfile: { type: 'RuntimeDefault' } },
          ...(initContainers.length === 0
            ? {}
            : { initContainers: initContainers.map((container) => ({ ...container, securityContext: restricted })) }),
          containers: containers.map(({ name: container, image, ports }) => ({
            name: container,
            image,
            securityContext: restricted,
            ports: Object.entries(ports).map(([port, containerPort]) => ({
              ...(/[a-z]/.test(port) ? { name: port } : {}),
              containerPort,
            })),
          })),
        },
      },
    },
  };
}

function claimSpec(storage: string): object {
  return { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } };
}
