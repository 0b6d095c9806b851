/** What the suite asks of every pod: Pod Security's level "restricted", and rules of our own. */
import type { KubernetesObject } from './golden.ts';

export interface Container {
  name: string;
  image: string;
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string; key: string } } }[];
  command?: string[];
  args?: string[];
  ports?: { name: string; containerPort: number }[];
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  securityContext?: {
    allowPrivilegeEscalation?: boolean;
    readOnlyRootFilesystem?: boolean;
    privileged?: boolean;
    runAsUser?: number;
    capabilities?: { add?: string[]; drop?: string[] };
  };
  readinessProbe?: unknown;
  livenessProbe?: unknown;
}

export interface PodSpec {
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  enableServiceLinks?: boolean;
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  restartPolicy?: string;
  securityContext?: { runAsNonRoot?: boolean; runAsUser?: number; seccompProfile?: { type: string } };
  initContainers?: Container[];
  containers: Container[];
  volumes?: Record<string, unknown>[];
}

export interface PodTemplate {
  metadata: { labels: Record<string, string>; annotations?: Record<string, string> };
  spec: PodSpec;
}

const VOLUME_KINDS = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

export function podTemplate(object: KubernetesObject): PodTemplate | undefined {
  return (object.spec as { template?: PodTemplate } | undefined)?.template?.spec.containers
    ? (object.spec as { template: PodTemplate }).template
    : undefined;
}

export function containersOf(spec: PodSpec): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** Kubernetes' Pod Security Standard "restricted". @returns what breaks it */
export function restrictedViolations(spec: PodSpec): string[] {
  const found: string[] = [];
  if (spec.hostNetwork === true || spec.hostPID === true || spec.hostIPC === true)
    found.push('shares a namespace of the host');
  if (spec.securityContext?.runAsNonRoot !== true) found.push('may run as root');
  if (spec.securityContext?.runAsUser === undefined || spec.securityContext.runAsUser === 0)
    found.push('runs as root, or as a user that only the image knows');
  if (spec.securityContext?.seccompProfile?.type !== 'RuntimeDefault') found.push('has no seccomp profile');
  for (const { name, ...source } of spec.volumes ?? []) {
    const kind = Object.keys(source)[0] ?? 'nothing';
    if (!VOLUME_KINDS.includes(kind)) found.push(`volume ${String(name)} is of kind ${kind}`);
  }
  for (const container of containersOf(spec)) {
    const context = container.securityContext ?? {};
    if (context.allowPrivilegeEscalation !== false) found.push(`${container.name} may gain privileges`);
    if (context.privileged === true || context.runAsUser === 0) found.push(`${container.name} is privileged`);
    if (JSON.stringify(context.capabilities) !== '{"drop":["ALL"]}') found.push(`${container.name} keeps capabilities`);
  }
  return found;
}

/** Rules of this platform beyond the standard. @returns what breaks them */
export function houseViolations(spec: PodSpec): string[] {
  const found: string[] = [];
  if (spec.enableServiceLinks !== false) found.push('gets variables of other Services');
  for (const container of containersOf(spec)) {
    if (
      !container.resources?.requests?.['cpu'] ||
      !container.resources.requests['memory'] ||
      !container.resources.limits?.['memory']
    )
      found.push(`${container.name} has no requests or no memory limit`);
    if (/:latest$|^[^:]*$/.test(container.image.replace(/^[^/]*:\d+\//, '')))
      found.push(`${container.name} runs no fixed tag: ${container.image}`);
  }
  for (const container of spec.restartPolicy === 'Never' ? [] : spec.containers) {
    if (container.readinessProbe === undefined) found.push(`${container.name} has no readiness probe`);
  }
  return found;
}
