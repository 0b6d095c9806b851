/** Names, labels and annotations. */
import { isLabel, isQualifiedName, isSubdomain } from '../../../environment/fields/formats/kubernetes-names.ts';
import { isTree, type Tree } from '../../../environment/files/merge.ts';
import { entriesOf, type Rule, textsOf, treesOf } from './rule.ts';

const ANNOTATIONS_BYTES = 256 * 1024;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const LONGEST_VALUE = 63;
const OPERATORS: Record<string, 'values' | 'none'> = {
  In: 'values',
  NotIn: 'values',
  Exists: 'none',
  DoesNotExist: 'none',
};

/** A Service's name becomes a variable of pods: it begins with a letter. */
const SERVICE = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const ANY_SEGMENT = ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding', 'PodDisruptionBudget'];
const LABELS = ['Namespace'];

/** @returns what is wrong with the name of an object of that kind */
export function nameProblem(kind: string, name: unknown): string | undefined {
  if (typeof name !== 'string' || name === '') return 'is missing';
  const shown = JSON.stringify(name.slice(0, 80));
  if (ANY_SEGMENT.includes(kind))
    return name === '.' || name === '..' || /[/%]/.test(name) ? `${shown} may hold no "/" and no "%"` : undefined;
  if (kind === 'Service' && !(name.length <= LONGEST_VALUE && SERVICE.test(name)))
    return `${shown} is no name of a Service: small letters, digits and dashes, at most ${LONGEST_VALUE}, first a letter`;
  if (LABELS.includes(kind) && !isLabel(name))
    return `${shown} is no name of a ${kind}: small letters, digits and dashes, at most ${LONGEST_VALUE}`;
  return isSubdomain(name)
    ? undefined
    : `${shown} is no name of an object: small letters, digits, dashes and dots, at most 253, first and last a letter or a digit`;
}

export function labelProblems(labels: unknown, add: (below: string, message: string) => void, place: string): void {
  for (const [key, value] of entriesOf(labels)) {
    if (!isQualifiedName(key))
      add(`${place}.${key}`, `${JSON.stringify(key.slice(0, 80))} is no key of a label: NAME or DOMAIN/NAME`);
    if (typeof value === 'string' && !isLabelValue(value))
      add(
        `${place}.${key}`,
        `${JSON.stringify(value.slice(0, 80))} is no value of a label: at most ${LONGEST_VALUE} letters, digits, "-", "_" and ".", first and last a letter or a digit`,
      );
  }
}

function isLabelValue(text: string): boolean {
  return text.length <= LONGEST_VALUE && LABEL_VALUE.test(text);
}

const meta: Rule = ({ labels, annotations, finalizers, namespace }, add) => {
  labelProblems(labels, add, 'labels');
  let bytes = 0;
  for (const [key, value] of entriesOf(annotations)) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(String(value));
    if (!isQualifiedName(key.toLowerCase()))
      add(`annotations.${key}`, `${JSON.stringify(key.slice(0, 80))} is no key of an annotation: NAME or DOMAIN/NAME`);
  }
  if (bytes > ANNOTATIONS_BYTES) add('annotations', `have ${Math.ceil(bytes / 1024)} KiB: Kubernetes takes 256`);
  if (typeof namespace === 'string' && namespace !== '' && !isLabel(namespace))
    add('namespace', `${JSON.stringify(namespace.slice(0, 80))} is no name of a namespace`);
  for (const finalizer of textsOf(finalizers))
    if (!isQualifiedName(finalizer)) add('finalizers', `${JSON.stringify(finalizer)} is no name of a finalizer`);
};

const labelSelector: Rule = ({ matchLabels, matchExpressions }, add) => {
  labelProblems(matchLabels, add, 'matchLabels');
  for (const [at, { key, operator, values }] of treesOf(matchExpressions).entries()) {
    const place = `matchExpressions[${at}]`;
    const needs = OPERATORS[String(operator)];
    if (typeof key === 'string' && !isQualifiedName(key))
      add(`${place}.key`, `${JSON.stringify(key)} is no key of a label`);
    if (needs === undefined)
      add(`${place}.operator`, `${JSON.stringify(operator)} is none of ${Object.keys(OPERATORS).join(', ')}`);
    else if ((needs === 'values') !== textsOf(values).length > 0)
      add(
        `${place}.values`,
        needs === 'values' ? `has to be there with ${String(operator)}` : `may not be there with ${String(operator)}`,
      );
    for (const value of textsOf(values))
      if (!isLabelValue(value)) add(`${place}.values`, `${JSON.stringify(value.slice(0, 80))} is no value of a label`);
  }
};

export const METADATA_RULES: Record<string, Rule> = {
  'meta.v1.ObjectMeta': meta,
  'meta.v1.LabelSelector': labelSelector,
};

/** Whether labels fit a selector of a workload. */
export function selects(selector: unknown, labels: unknown): boolean {
  if (!isTree(selector)) return true;
  const own: Tree = isTree(labels) ? labels : {};
  return (
    entriesOf(selector['matchLabels']).every(([key, value]) => own[key] === value) &&
    treesOf(selector['matchExpressions']).every(({ key, operator, values }) => {
      const value = own[String(key)];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const named = textsOf(values).includes(String(value));
      return operator === 'In' ? named : !named;
    })
  );
}
