/** Fields of the platform's objects that an environment leaves to somebody else, by name. */
import { z } from 'zod';
import { suggestion } from '../../suggest.ts';
import { labelName } from './formats/kubernetes-names.ts';

/** What charts apply; more of them have fields that somebody else may want to write. */
const KINDS = [
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'CronJob',
  'Service',
  'ServiceAccount',
  'ConfigMap',
  'Secret',
  'Ingress',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'HorizontalPodAutoscaler',
  'PersistentVolumeClaim',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'CustomResourceDefinition',
  'Application',
  'ApplicationSet',
  'AppProject',
  'ServiceMonitor',
  'PodMonitor',
  'PrometheusRule',
  'Certificate',
  'Issuer',
  'Cluster',
];

function kindProblem(kind: string): string | undefined {
  if (KINDS.includes(kind)) return undefined;
  return `is no kind that a release applies${suggestion(kind, KINDS)}`;
}

/** What says which object it is, what Kubernetes itself writes, and the object as a whole. */
const NEVER =
  /^(apiVersion|kind|status|spec|metadata|data|metadata\.(name|namespace|uid|managedFields|resourceVersion)|spec\.selector)$/;
const PARTS = /^[A-Za-z_*][\w-]*(\[[^[\]]+\])*(\.(\*|[A-Za-z_][\w-]*)(\[[^[\]]+\])*)*$/;

function pathProblem(path: string): string | undefined {
  if (path.startsWith('/')) return `is written with dots, as drift tells it: ${path.slice(1).replaceAll('/', '.')}`;
  if (path.startsWith('.')) return `begins with the field's name: ${path.replace(/^\.+/, '')}`;
  if (path.includes('**')) return 'names one field: what is below it goes with it, without **';
  if (!PARTS.test(path))
    return 'has to be a path such as spec.replicas or metadata.annotations[example.com/note]: keys with dots or slashes, and entries such as containers[name=app], stand in brackets';
  if (NEVER.test(path) || /^(status|metadata\.managedFields)[.[]/.test(path))
    return 'cannot be left to anybody: name a field that a chart sets, as far down as it goes';
  return undefined;
}

const checked = (problem: (text: string) => string | undefined): z.ZodString =>
  z.string().superRefine((text, context) => {
    const message = problem(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

export const leases = z
  .array(
    z.strictObject({
      kind: checked(kindProblem).describe('Kind of the object, such as Deployment'),
      namespace: labelName('a namespace').optional().describe('Absent: wherever a release applies such an object'),
      name: z.string().min(1).max(253).describe('Name of the object'),
      path: checked(pathProblem).describe(
        'Field, such as spec.replicas or metadata.annotations[example.com/note]; * stands for one part',
      ),
      owner: z
        .string()
        .regex(/^[\w][\w./:@ -]{0,127}$/, 'has to be a name: letters, digits, dots, dashes, slashes')
        .describe('Who writes it, for people'),
    }),
  )
  .default([])
  .superRefine((entries, context) => {
    const seen = new Map<string, string>();
    for (const [at, { kind, namespace = '', name, path, owner }] of entries.entries()) {
      const key = [kind, namespace, name, path].join(' ');
      const before = seen.get(key);
      if (before !== undefined)
        context.addIssue({
          code: 'custom',
          path: [at, 'path'],
          message: `is leased already, to ${before}: one owner a field`,
        });
      seen.set(key, owner);
    }
  })
  .describe('Fields of objects that somebody else writes: never set, planned, told as drift or taken back');
