/** Differences that are no drift: those that an environment names, and those that come with how Kubernetes works. */
import { isTree } from '../../environment/merge.ts';
import type { Environment } from '../../environment/schema.ts';
import { fitsPattern, type Path, valueAtPath } from '../fields/path.ts';

export interface Subject {
  kind: string;
  namespace?: string | undefined;
  name: string;
}

/** @param path absent: the object as a whole. @returns why it is no drift, undefined where it is */
export type Ignore = (subject: Subject, path: Path) => string | undefined;

type Rules = Environment['drift']['ignore'];

/** @param autoscalers live HorizontalPodAutoscalers: the replicas of what they target are theirs */
export function ignoreRules(rules: Rules, autoscalers: readonly unknown[]): Ignore {
  const scaled = new Set(
    autoscalers.flatMap((object) => {
      const target = valueAtPath(object, ['spec', 'scaleTargetRef']);
      return isTree(target)
        ? [
            `${String(target['kind'])} ${String(valueAtPath(object, ['metadata', 'namespace']))}/${String(target['name'])}`,
          ]
        : [];
    }),
  );
  return (subject, path) => {
    if (path.at(-1) === 'caBundle') return 'certificate authorities are put there by whoever signs';
    if (path.length === 2 && path[1] === 'replicas' && scaled.has(subjectText(subject)))
      return 'an autoscaler decides the number of replicas';
    return rules.find((rule) => fitsRule(rule, subject, path))?.reason;
  };
}

/** `Deployment monitoring-system/jaeger`, `ClusterRole x`. */
export function subjectText({ kind, namespace, name }: Subject): string {
  return `${kind} ${namespace === undefined || namespace === '' ? '' : `${namespace}/`}${name}`;
}

function fitsRule(rule: Rules[number], { kind, namespace, name }: Subject, path: Path): boolean {
  if (rule.kind !== undefined && rule.kind !== kind) return false;
  if (rule.namespace !== undefined && rule.namespace !== namespace) return false;
  if (rule.name !== undefined && rule.name !== name) return false;
  return rule.field === undefined || (path.length > 0 && fitsPattern(rule.field, path));
}
