/** `${outputs.network.vpc_id}` in the texts of an environment. Pure. */
import { suggestion } from '../../suggest.ts';
import type { Finding } from '../explain.ts';
import { isTree, type Tree } from '../files/merge.ts';

/** By the source's name, then the output's; undefined: it is sensitive, and no value of a file. */
export type OutputValues = Record<string, Record<string, unknown>>;

/** `$${outputs.` stands for itself, as in Terraform. */
const REFERENCE = /(\$?)\$\{outputs(?:\.([^}]*))?\}/g;
const PART = /\.?([A-Za-z_][\w-]*|\d+)|\[(\d+)\]|\["([^"\]]+)"\]/gy;
/** They say where outputs come from, and what is extended. */
const OWN: readonly string[] = ['outputs', 'extends'];

const refersToOutputs = (text: string): boolean => text.includes('${outputs');

/** @returns the tree with values in the place of references; what cannot be replaced is a finding, and stays */
export function interpolated(tree: Tree, values: OutputValues): { tree: Tree; findings: Finding[] } {
  const findings: Finding[] = [];
  const entries = Object.entries(tree).map(([key, value]) => [key, OWN.includes(key) ? value : within(value, [key])]);
  return { tree: Object.fromEntries(entries) as Tree, findings };

  function within(value: unknown, path: PropertyKey[]): unknown {
    if (typeof value === 'string') return refersToOutputs(value) ? replaced(value, path) : value;
    if (Array.isArray(value)) return value.map((one: unknown, index) => within(one, [...path, index]));
    if (!isTree(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, within(one, [...path, key])]));
  }

  function replaced(text: string, path: PropertyKey[]): unknown {
    const valueAt = (reference: string): unknown => {
      const found = resolved(reference, values);
      if ('problem' in found) findings.push({ path, message: found.problem });
      return 'problem' in found ? undefined : found.value;
    };
    const [only] = text.matchAll(REFERENCE);
    // The whole text: its value, of whatever type.
    if (only?.[0] === text && only[1] === '') return valueAt(only[2] ?? '') ?? text;
    return text.replaceAll(REFERENCE, (written: string, escaped: string, reference: string | undefined) => {
      if (escaped !== '') return written.slice(1);
      const value = valueAt(reference ?? '');
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
      const kind = Array.isArray(value) ? 'a list' : 'a group of keys';
      if (value !== undefined)
        findings.push({ path, message: `${written} is ${kind}: it can only stand alone in a text` });
      return written;
    });
  }
}

/** The reverse, for an environment that is written down again: nothing in its texts is taken for a reference. */
export function withoutReferences(value: unknown): unknown {
  if (typeof value === 'string')
    return value.replaceAll(
      REFERENCE,
      (written: string, escaped: string) => `${escaped}$${written.slice(escaped.length)}`,
    );
  if (Array.isArray(value)) return value.map(withoutReferences);
  if (!isTree(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutReferences(one)]));
}

function resolved(reference: string, values: OutputValues): { value: unknown } | { problem: string } {
  const written = `\${outputs.${reference}}`;
  const [source = '', output = '', ...rest] = partsOf(reference) ?? [];
  if (source === '' || output === '')
    return { problem: `${written} is no reference: write \${outputs.NAME.OUTPUT}, with .KEY or [0] below it` };
  const outputs = Object.hasOwn(values, source) ? values[source] : undefined;
  if (outputs === undefined)
    return { problem: `${written}: outputs has no "${source}"${suggestion(source, Object.keys(values))}` };
  if (!Object.hasOwn(outputs, output)) {
    const known = suggestion(output, Object.keys(outputs)) || ': say its type there';
    return { problem: `${written}: outputs.${source}.types has no "${output}"${known}` };
  }
  if (outputs[output] === undefined)
    return {
      problem: `${written} is sensitive, and this file is no place for secrets: give it to Vault (secrets import --references, {output: ${source}.${output}}), and name the Secret`,
    };
  const value = valueBelow(outputs[output], rest);
  return value === undefined || value === null
    ? { problem: `${written}: there is nothing at ${rest.join('.')} of this output` }
    : { value };
}

/** @returns undefined where there is nothing */
export function valueBelow(value: unknown, [first, ...rest]: readonly string[]): unknown {
  if (first === undefined) return value;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, first)) return undefined;
  return valueBelow((value as Record<string, unknown>)[first], rest);
}

/** @returns undefined where it is none */
export function partsOf(reference: string): string[] | undefined {
  const parts = [...reference.matchAll(PART)];
  const whole = parts.reduce((length, [written]) => length + written.length, 0) === reference.length;
  return whole && parts.length > 0 ? parts.map(([, name, index, key]) => name ?? index ?? key ?? '') : undefined;
}
