/** What differs between two texts of a policy, rule by rule as far as they can be read. */
import type { FieldDifference } from './fields.ts';

/** A path, its capabilities, and what its parameters are bound to. */
const RULE =
  /path\s+"([^"]*)"\s*\{\s*capabilities\s*=\s*\[([^\]]*)\]((?:\s*(?:allowed|denied)_parameters\s*=\s*\{[^{}]*\})*)\s*\}/g;

/**
 * Empty when both grant the same. Order, comments and blanks are no difference; anything that is no plain rule is
 * compared as text.
 */
export function policyDifferences(was: string, is: string): FieldDifference[] {
  if (was.trim() === is.trim()) return [];
  const [before, after] = [rulesOf(was), rulesOf(is)];
  if (!before || !after) return [firstLine(was, is)];
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((path) => {
    const [granted, grants] = [before.get(path) ?? '', after.get(path) ?? ''];
    return granted === grants ? [] : [{ field: `path "${path}"`, was: granted, is: grants }];
  });
}

/** Path to its capabilities; undefined when the text holds more than plain rules. */
function rulesOf(text: string): Map<string, string> | undefined {
  const plain = text.replaceAll(/^\s*(#|\/\/).*$/gm, '');
  if (plain.replaceAll(RULE, '').trim() !== '') return undefined;
  const rules = [...plain.matchAll(RULE)].map(
    ([, path = '', list = '', parameters = '']) =>
      [
        path,
        [
          ...list
            .split(',')
            .map((name) => name.replaceAll(/["\s]/g, ''))
            .filter((name) => name !== '')
            .sort(),
          ...(parameters.trim() === '' ? [] : [parameters.trim().replaceAll(/\s+/g, ' ')]),
        ].join(', '),
      ] as const,
  );
  // Of two rules for one path nobody here knows what Vault makes.
  return new Set(rules.map(([path]) => path)).size === rules.length ? new Map(rules) : undefined;
}

function firstLine(was: string, is: string): FieldDifference {
  const [before, after] = [linesOf(was), linesOf(is)];
  const at = before.findIndex((line, index) => line !== after[index]);
  const line = at < 0 ? before.length : at;
  return { field: `line ${line + 1}`, was: before[line] ?? '', is: after[line] ?? '' };
}

function linesOf(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim());
}
