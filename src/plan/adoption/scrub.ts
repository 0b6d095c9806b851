/** Takes what is secret out of a chart's values, before anything else sees them. Pure. */
import { isTree, type Tree } from '../../environment/merge.ts';
import { holdsSecret } from '../../sensitive-name.ts';
import { withoutSecretForms } from '../diff/sensitive.ts';

export interface Scrubbed {
  values: Tree;
  /** `auth.postgresPassword`; of a list that holds one, the list as a whole. */
  secretValues: string[];
}

/** What Terraform's provider writes in the place of what it was given as sensitive. */
const CLOAKED = '(sensitive value)';

export function scrubbed(values: Tree): Scrubbed {
  const secretValues: string[] = [];
  return { values: without(values, []), secretValues };

  function without(tree: Tree, path: string[]): Tree {
    return Object.fromEntries(
      Object.entries(tree).flatMap(([key, value]) => {
        const here = [...path, key];
        if (isTree(value)) return [[key, without(value, here)]];
        if (!(Array.isArray(value) ? value.some(listHoldsSecret) : isSecret(key, value))) return [[key, value]];
        secretValues.push(here.join('.'));
        return [];
      }),
    );
  }
}

function isSecret(key: string, value: unknown): boolean {
  if (typeof value === 'number') return holdsSecret(key);
  if (typeof value !== 'string' || value === '') return false;
  return value === CLOAKED || holdsSecret(key) || looksSecret(value);
}

/** A list is taken over as it is, or not at all. */
function listHoldsSecret(entry: unknown): boolean {
  if (Array.isArray(entry)) return entry.some(listHoldsSecret);
  if (typeof entry === 'string') return entry === CLOAKED || looksSecret(entry);
  if (!isTree(entry)) return false;
  const variable =
    typeof entry['name'] === 'string' && holdsSecret(entry['name']) && isSecret('password', entry['value']);
  return (
    variable ||
    Object.entries(entry).some(([key, value]) =>
      typeof value === 'object' ? listHoldsSecret(value) : isSecret(key, value),
    )
  );
}

function looksSecret(text: string): boolean {
  return withoutSecretForms(text, () => '') !== text;
}
