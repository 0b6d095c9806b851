/** Differences that are no drift: those that an environment names, and those that come with how Kubernetes works. */
import type { Environment } from '../../environment/schema.ts';
import { autoscaledFields, leasedFields, leftOf, ownerOfField } from '../fields/left.ts';
import { fitsPattern, type Path } from '../fields/path.ts';

export interface Subject {
  kind: string;
  namespace?: string | undefined;
  name: string;
}

/** @param path absent: the object as a whole. @returns why it is no drift, undefined where it is */
export type Ignore = (subject: Subject, path: Path) => string | undefined;

type Rules = Environment['drift']['ignore'];

/**
 * @param autoscalers live HorizontalPodAutoscalers: the replicas of what they target are theirs
 * @param leases fields that the environment has leased
 */
export function ignoreRules(rules: Rules, autoscalers: readonly unknown[], leases: Environment['fields'] = []): Ignore {
  const [scaled, leased] = [autoscaledFields(autoscalers), leasedFields(leases)];
  return (subject, path) => {
    if (path.at(-1) === 'caBundle') return 'certificate authorities are put there by whoever signs';
    const scaler = ownerOfField(leftOf(scaled, subject), path);
    if (scaler !== undefined) return `${scaler} decides the number of replicas`;
    const holder = ownerOfField(leftOf(leased, subject), path);
    if (holder !== undefined) return `the environment has leased it to ${holder}`;
    return rules.find((rule) => fitsRule(rule, subject, path))?.reason;
  };
}

/** `Deployment apps/web`, `ClusterRole x`. */
export function subjectText({ kind, namespace, name }: Subject): string {
  return `${kind} ${namespace === undefined || namespace === '' ? '' : `${namespace}/`}${name}`;
}

function fitsRule(rule: Rules[number], { kind, namespace, name }: Subject, path: Path): boolean {
  if (rule.kind !== undefined && rule.kind !== kind) return false;
  if (rule.namespace !== undefined && rule.namespace !== namespace) return false;
  if (rule.name !== undefined && rule.name !== name) return false;
  return rule.field === undefined || (path.length > 0 && fitsPattern(rule.field, path));
}
