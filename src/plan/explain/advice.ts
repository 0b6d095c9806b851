/** What helps, for what was found: the first thing that stands in the way, before what only follows from it. */
import type { Explanation, ReleaseExplanation } from './explanation.ts';

export interface Advice {
  /** A sentence: what it is. */
  why: string;
  /** What to do about it. */
  next: string;
  /** Arguments of one of our commands that does it, or shows more; without the environment. */
  command?: string[];
}

/** In the words of Kubernetes; `{service}` and `{namespace}` are put in. */
const BY_REASON: [RegExp, Advice][] = [
  [
    /ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull/,
    {
      why: 'The image cannot be pulled.',
      next: 'Check registry, tag and pull Secret (images in the environment’s file), then deploy again.',
    },
  ],
  [
    /CreateContainerConfigError/,
    {
      why: 'A Secret or ConfigMap that the container needs lacks the key, or is not there.',
      next: 'See which values are missing; a deployment makes the Secret anew.',
      command: ['secrets', 'list'],
    },
  ],
  [
    /OOMKilled/,
    {
      why: 'It needs more memory than its limit.',
      next: 'Raise resources.limits.memory of {service} in the environment’s file.',
    },
  ],
  [
    /CrashLoopBackOff|^Error$|RunContainerError|StartError/,
    {
      why: 'The container starts and ends.',
      next: 'Its last lines are above; here are more.',
      command: ['logs', '{service}', '--previous'],
    },
  ],
  [
    /Unschedulable|FailedScheduling/,
    {
      why: 'No node takes the pod.',
      next: 'The scheduler’s words are above: free memory or processors, add a node, or change node selectors and tolerations.',
    },
  ],
  [
    /exceeded quota|FailedCreate.*quota/,
    { why: 'A ResourceQuota of {namespace} is used up.', next: 'kubectl describe resourcequota -n {namespace}' },
  ],
  [
    /violates PodSecurity/,
    {
      why: 'Pod Security of {namespace} refuses the pod.',
      next: 'The event above names the field; change it in the values of {service}, or the namespace’s level.',
    },
  ],
  [
    /failed calling webhook|denied the request/,
    {
      why: 'An admission webhook refuses the pod, or does not answer.',
      next: 'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations; then the log of whose it is.',
    },
  ],
  [
    /FailedAttachVolume|FailedMount|ProvisioningFailed|is not bound yet|FailedBinding/,
    { why: 'A volume is missing.', next: 'kubectl describe pvc -n {namespace}; and that the storage class exists.' },
  ],
  [
    /Unhealthy|NotReady/,
    {
      why: 'It runs, but its readiness probe does not succeed.',
      next: 'Its last answer is above; what it waits for is mostly in its log.',
      command: ['logs', '{service}'],
    },
  ],
];

/** Nothing is wrong with the pods that are there: some are missing. */
function lacksPods(workloads: ReleaseExplanation['workloads'], pods: ReleaseExplanation['pods']): boolean {
  return workloads.some(({ status }) => status !== 'healthy') && pods.every(({ reason }) => reason === undefined);
}

/** @returns nothing for a service that is healthy; at most three */
export function adviceFor(explanation: Explanation): Advice[] {
  const { service, namespace, healthy, dependsOn, quotas, releases, operation } = explanation;
  if (healthy) return [];
  const found: Advice[] = [];
  const sick = dependsOn.filter((dependency) => !dependency.healthy).map((dependency) => dependency.service);
  const [first] = sick;
  if (first !== undefined)
    found.push({
      why: `It depends on ${sick.join(', ')}, which ${sick.length === 1 ? 'is' : 'are'} not healthy.`,
      next: 'Begin there.',
      command: ['explain', first],
    });
  const signs = releases.flatMap(({ pods, warnings, claims }) => [
    ...pods.map(({ reason = '', message = '' }) => `${reason} ${message}`),
    ...warnings.map(({ reason, message }) => `${reason} ${message}`),
    ...claims,
  ]);
  // A quota that is used up keeps pods from being made long after the events of that are gone.
  if (quotas.length > 0 && releases.some(({ workloads, pods }) => lacksPods(workloads, pods)))
    signs.push('exceeded quota');
  for (const [pattern, advice] of BY_REASON)
    if (signs.some((sign) => pattern.test(sign.trim()) || pattern.test(sign.split(' ')[0] ?? ''))) found.push(advice);
  if (found.length === 0 && releases.every(({ helm }) => helm === undefined))
    found.push(
      operation?.running
        ? { why: 'It is not deployed yet.', next: 'An operation is at work.', command: ['attach'] }
        : {
            why: 'It is not deployed.',
            next: 'Deploy it with what it needs.',
            command: ['deploy', '--only', service, '--with-dependencies'],
          },
    );
  return found.slice(0, 3).map(({ why, next, command }) => ({
    why: fill(why),
    next: fill(next),
    ...(command ? { command: command.map(fill) } : {}),
  }));

  function fill(text: string): string {
    return text.replaceAll('{service}', service).replaceAll('{namespace}', namespace);
  }
}
