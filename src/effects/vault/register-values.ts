import type { SecretPath } from '../../catalog/schema.ts';
import type { Redactor } from '../../clients/redact.ts';

/** Registers the values of a path with the redactor, except fixed values that stand in the catalog. */
export function registerSecretValues(
  redactor: Redactor,
  declared: Pick<SecretPath, 'keys'> | undefined,
  data: Readonly<Record<string, unknown>>,
): void {
  const open = new Set(declared?.keys.filter(({ kind }) => kind === 'fixed').map(({ name }) => name));
  redactor.learn(
    ...Object.entries(data)
      .filter(([name]) => !open.has(name))
      .flatMap(([, value]) => textsIn(value)),
  );
}

/** Somebody's own keys may hold lists and objects. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
