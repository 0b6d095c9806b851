/** Objects without secret values: in their place a fingerprint, which differs where the value does. */
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { fingerprint, isSensitiveName, withoutNamedSecrets, withoutSecretForms } from './sensitive.ts';

/** A copy of an object as the API server has it. */
export function withoutSecrets(object: Tree): Tree {
  const clean = object['kind'] === 'Secret' ? hidden(object, ['data', 'stringData']) : object;
  return (object['kind'] === 'ConfigMap' ? configMap(clean) : variables(clean)) as Tree;
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
        if (isSensitiveName(name) && !value.includes('\n')) return [name, fingerprint(value)];
        return [name, withoutNamedSecrets(value, fingerprint)];
      }),
    ),
  };
}

/** Literal values of environment variables that sound secret; references to Secrets are objects and stay. */
function variables(value: unknown): unknown {
  if (typeof value === 'string') return withoutSecretForms(value, fingerprint);
  if (Array.isArray(value)) return value.map(variables);
  if (!isTree(value)) return value;
  const { name, value: literal } = value;
  const secret = typeof name === 'string' && typeof literal === 'string' && literal !== '' && isSensitiveName(name);
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      secret && key === 'value' ? fingerprint(entry) : variables(entry),
    ]),
  );
}
