/** Objects without secret values: in their place a fingerprint, which differs where the value does. */
import { createHash } from 'node:crypto';
import { isTree, type Tree } from '../../environment/merge.ts';

/** Names of variables and keys whose value nobody should read in a plan. */
const SENSITIVE = /passw|secret|token|credential|api[-_]?key|private[-_]?key|signing[-_]?key|encryption[-_]?key/i;
/** `password: abc`, `TOKEN="abc"` in a configuration file. */
const SENSITIVE_LINE =
  /((?:[\w.-]*(?:passw|secret|token|credential|api[-_]?key|private[-_]?key)[\w.-]*)["']?\s*[:=]\s*)("[^"\n]*"|'[^'\n]*'|[^\s,}\n]+)/gi;

/** In an address. */
const IN_ADDRESS = /(:\/\/[^\s:@/]*:)([^\s@/]+)(?=@)/g;

/** A copy of an object as the API server has it. */
export function withoutSecrets(object: Tree): Tree {
  const clean = object['kind'] === 'Secret' ? hidden(object, ['data', 'stringData']) : object;
  return (object['kind'] === 'ConfigMap' ? configMap(clean) : variables(clean)) as Tree;
}

/** 8 hex characters: enough to tell that a value is another one, too few to find it by trying. */
export function fingerprint(value: unknown): string {
  return `(hidden, fingerprint ${createHash('sha256')
    .update('ananta-plan')
    .update(JSON.stringify([value]))
    .digest('hex')
    .slice(0, 8)})`;
}

function hidden(object: Tree, parts: readonly string[]): Tree {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [
      key,
      parts.includes(key) && isTree(value)
        ? Object.fromEntries(Object.entries(value).map(([name, secret]) => [name, fingerprint(secret)]))
        : value,
    ]),
  );
}

function configMap(object: Tree): Tree {
  const data = object['data'];
  if (!isTree(data)) return object;
  return {
    ...object,
    data: Object.fromEntries(
      Object.entries(data).map(([name, value]) => {
        if (typeof value !== 'string') return [name, value];
        if (SENSITIVE.test(name) && !value.includes('\n')) return [name, fingerprint(value)];
        return [
          name,
          withoutPassword(
            value.replace(SENSITIVE_LINE, (_all, before: string, secret: string) => `${before}${fingerprint(secret)}`),
          ),
        ];
      }),
    ),
  };
}

/** Literal values of environment variables that sound secret; references to Secrets are objects and stay. */
function variables(value: unknown): unknown {
  if (typeof value === 'string') return withoutPassword(value);
  if (Array.isArray(value)) return value.map(variables);
  if (!isTree(value)) return value;
  const { name, value: literal } = value;
  const secret = typeof name === 'string' && typeof literal === 'string' && literal !== '' && SENSITIVE.test(name);
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      secret && key === 'value' ? fingerprint(entry) : variables(entry),
    ]),
  );
}

function withoutPassword(text: string): string {
  return text.replace(IN_ADDRESS, (_all, before: string, secret: string) => `${before}${fingerprint(secret)}`);
}
