/** Label selectors as the API server reads them, so that a fake list holds what a real one would. */
import { KubernetesError } from '../../../src/clients/kubernetes/index.ts';

type Labels = Readonly<Record<string, string>>;

const KEY = '([a-z0-9A-Z]([-a-z0-9A-Z_./]*[a-z0-9A-Z])?)';
const VALUE = '[a-z0-9A-Z]?([-a-z0-9A-Z_.]*[a-z0-9A-Z])?';
const REQUIREMENT = {
  equal: new RegExp(`^${KEY} ?==? ?(?<value>${VALUE})$`),
  unequal: new RegExp(`^${KEY} ?!= ?(?<value>${VALUE})$`),
  among: new RegExp(`^${KEY} (?<not>not)?in \\((?<values>[^()]*)\\)$`),
  there: new RegExp(`^(?<not>! ?)?${KEY}$`),
};

/** @throws KubernetesError 400 for what is no selector */
export function selectedBy(selector: string | undefined): (labels: Labels | undefined) => boolean {
  if (selector === undefined || selector === '') return () => true;
  // Commas within parentheses separate values.
  const requirements = selector.split(/,(?![^(]*\))/).map((text) => requirement(text.trim(), selector));
  return (labels = {}) => requirements.every((holds) => holds(labels));
}

function requirement(text: string, selector: string): (labels: Labels) => boolean {
  const equal = REQUIREMENT.equal.exec(text);
  if (equal) return (labels) => labels[equal[1]!] === equal.groups!['value'];
  const unequal = REQUIREMENT.unequal.exec(text);
  if (unequal) return (labels) => labels[unequal[1]!] !== unequal.groups!['value'];
  const among = REQUIREMENT.among.exec(text);
  if (among) {
    const values = among.groups!['values']!.split(',').map((value) => value.trim());
    const not = among.groups!['not'] !== undefined;
    return (labels) => values.includes(labels[among[1]!] ?? '\0') !== not;
  }
  const there = REQUIREMENT.there.exec(text);
  if (there) {
    const not = there.groups!['not'] !== undefined;
    return (labels) => there[2]! in labels !== not;
  }
  throw new KubernetesError(
    `GET ?labelSelector=${selector}`,
    400,
    'BadRequest',
    `unable to parse requirement: "${text}"`,
  );
}
