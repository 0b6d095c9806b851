/** Where values of a chart hold secrets. Pure. */
import { holdsSecret } from '../sensitive-name.ts';
import { isTree } from './files/merge.ts';

export type ValuePath = (string | number)[];
/** @param key under which the value, or the list that it stands in, is found; of a variable `password` */
export type IsSecret = (key: string, value: unknown, inList: boolean) => boolean;

/**
 * A variable (`name`, `value`) counts by its name, wherever it stands; of an object that is a Secret all of its data
 * counts.
 */
export function secretPaths(values: unknown, isSecret: IsSecret): ValuePath[] {
  return within(values, [], '', false);

  function within(value: unknown, path: ValuePath, key: string, inList: boolean): ValuePath[] {
    if (Array.isArray(value))
      return value.flatMap((entry: unknown, index) => within(entry, [...path, index], key, true));
    if (!isTree(value)) return isSecret(key, value, inList) ? [path] : [];
    const isVariable = typeof value['name'] === 'string' && holdsSecret(value['name']);
    return Object.entries(value).flatMap(([name, below]) => {
      const here = [...path, name];
      if (value['kind'] === 'Secret' && ['data', 'stringData'].includes(name)) return [here];
      // Of the bundled charts: `envFromSecret: {PASSWORD: {secret, key}}` names a Secret.
      if (path.at(-2) === 'envFromSecret' && name === 'secret') return [];
      return within(below, here, isVariable && name === 'value' ? 'password' : name, false);
    });
  }
}
