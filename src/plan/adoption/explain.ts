/** What would happen to what runs if a value became ours: said of each difference that is kept. Pure. */

export type Effect = 'restart' | 'none' | 'fixed' | 'replaced' | 'scaled' | 'unknown';

export interface Explanation {
  effect: Effect;
  why: string;
}

interface Rule extends Explanation {
  path: RegExp;
}

/** The first that fits counts. Paths are those of Bitnami's charts and of those that follow their habits. */
const RULES: readonly Rule[] = [
  {
    path: /^(full)?nameOverride$/,
    effect: 'replaced',
    why: 'names every object anew: the workload would be made anew, and find no volume under its new name',
  },
  {
    path: /(^|\.)(persistence|dataStorage|storage)\.(size|storageClass|storageClassName|accessModes?)$/,
    effect: 'fixed',
    why: 'stands in the template of claims, which Kubernetes does not let be changed',
  },
  {
    path: /(^|\.)(commonLabels|podLabels|podAnnotations)(\.|$)/,
    effect: 'restart',
    why: 'is in the template of the pods',
  },
  {
    path: /(^|\.)(replicaCount|replicas)$/,
    effect: 'scaled',
    why: 'is how many pods there are; those that stay do not restart',
  },
  {
    path: /(^|\.)existing\w*Secret(\w*Key)?$|(^|\.)secretKeys\.|(^|\.)passwordSecretKey$/i,
    effect: 'restart',
    why: 'is the Secret that pods read a password from; another one is in the template of the pods',
  },
  { path: /(^|\.)networkPolicy\./, effect: 'none', why: 'is a NetworkPolicy beside the pods' },
  { path: /(^|\.)ingress\.|(^|\.)\w*[iI]ngress\./, effect: 'none', why: 'is an Ingress beside the pods' },
  {
    path: /(^|\.)service\.|(^|\.)\w*Service\./,
    effect: 'none',
    why: 'is a Service beside the pods; a port or a type that changes breaks who calls it',
  },
  { path: /(^|\.)(pdb|podDisruptionBudget|rbac)\./, effect: 'none', why: 'is an object beside the pods' },
  { path: /(^|\.)(serviceMonitor|prometheusRule|podMonitor)\./, effect: 'none', why: 'is an object for Prometheus' },
  { path: /^(extraDeploy|extraObjects)$/, effect: 'none', why: 'are further objects beside the pods' },
  { path: /(^|\.)metrics\./, effect: 'restart', why: 'is a container beside the server, in the same pod' },
  {
    path: /(^|\.)(auth|externalDatabase|image|imagePullSecrets|serviceAccount|resources|resourcesPreset|extraEnvVars\w*|env|args|command|\w*[pP]robe|\w*[sS]ecurityContext|nodeSelector|tolerations|affinity|priorityClassName|configuration|extendedConfiguration|pgHbaConfiguration)(\.|$)/,
    effect: 'restart',
    why: 'is in the template of the pods',
  },
];

/** @param path with dots: `primary.resources.limits.memory` */
export function explainValue(path: string): Explanation {
  const rule = RULES.find((candidate) => candidate.path.test(path));
  return rule === undefined
    ? { effect: 'unknown', why: 'what the chart makes of it is not known here: a plan without it shows it' }
    : { effect: rule.effect, why: rule.why };
}

export const EFFECT_WORDS: Record<Effect, string> = {
  restart: 'ours would restart pods',
  none: 'ours would restart nothing',
  fixed: 'ours cannot be had without a new volume',
  replaced: 'ours would replace the workload',
  scaled: 'ours would change the number of pods',
  unknown: 'what ours would do is for a plan to say',
};
