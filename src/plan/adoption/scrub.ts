/** Takes what is secret out of a chart's values, before anything else sees them. Pure. */
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { secretPaths } from '../../environment/secret-paths.ts';
import { holdsSecret } from '../../sensitive-name.ts';
import { withoutSecretForms } from '../diff/sensitive.ts';

export interface Scrubbed {
  values: Tree;
  /** `auth.postgresPassword`; of a list that holds one, the list as a whole. */
  secretValues: string[];
}

/** What Terraform's provider writes in the place of what it was given as sensitive. */
const CLOAKED = '(sensitive value)';
/** Names of Secrets: `imagePullSecrets: [registry]`. */
const PULL_SECRETS = /pull-?secrets$/i;
/** Keys hold dots. */
const SEPARATOR = '\0';

export function scrubbed(values: Tree): Scrubbed {
  // A list is taken over as it is, or not at all.
  const places = secretPaths(values, isSecret).map((path) => {
    const index = path.findIndex((part) => typeof part === 'number');
    return (index < 0 ? path : path.slice(0, index)).join(SEPARATOR);
  });
  const secret = new Set(places);
  return { values: without(values, []), secretValues: [...secret].map((place) => place.replaceAll(SEPARATOR, '.')) };

  function without(tree: Tree, path: readonly string[]): Tree {
    return Object.fromEntries(
      Object.entries(tree).flatMap(([key, value]) => {
        const here = [...path, key];
        if (secret.has(here.join(SEPARATOR))) return [];
        return [[key, isTree(value) ? without(value, here) : value]];
      }),
    );
  }
}

function isSecret(key: string, value: unknown, inList: boolean): boolean {
  const named = holdsSecret(key) && !(inList && PULL_SECRETS.test(key));
  if (typeof value === 'number') return named;
  if (typeof value !== 'string' || value === '') return false;
  return value === CLOAKED || named || looksSecret(value);
}

function looksSecret(text: string): boolean {
  return withoutSecretForms(text, () => '') !== text;
}
