/** Claims, and what is kept in ConfigMaps and Secrets. */
import { parseQuantity } from '../../../environment/fields/formats/quantity.ts';
import { isSubdomain } from '../../../environment/fields/formats/kubernetes-names.ts';
import { isTree } from '../../../environment/files/merge.ts';
import { entriesOf, type Rule, textsOf } from './rule.ts';

const MOST_BYTES = 1024 * 1024;
const KEY = /^[-._a-zA-Z0-9]{1,253}$/;

const claim: Rule = ({ accessModes, resources, storageClassName }, add) => {
  if (textsOf(accessModes).length === 0) add('accessModes', 'has to have one at least');
  const storage = isTree(resources) && isTree(resources['requests']) ? resources['requests']['storage'] : undefined;
  const isAmount = typeof storage === 'string' || typeof storage === 'number';
  const amount = isAmount ? parseQuantity(String(storage)) : undefined;
  if (amount === undefined || amount <= 0n) add('resources.requests.storage', 'has to be there, and more than nothing');
  if (typeof storageClassName === 'string' && storageClassName !== '' && !isSubdomain(storageClassName))
    add('storageClassName', `${JSON.stringify(storageClassName)} is no name of a storage class`);
};

const isKey = (key: string): boolean => KEY.test(key) && key !== '.' && !key.startsWith('..');

const kept: Rule = (value, add) => {
  const parts = ['data', 'stringData', 'binaryData'].flatMap((part) =>
    entriesOf(value[part]).map(([key, text]) => [part, key, text] as const),
  );
  for (const [part, key] of parts)
    if (!isKey(key)) add(`${part}.${key}`, 'is no key: letters, digits, "-", "_" and ".", at most 253');
  const bytes = parts.reduce((sum, [, , text]) => sum + Buffer.byteLength(String(text)), 0);
  if (bytes > MOST_BYTES) add('data', `have ${Math.ceil(bytes / 1024)} KiB: Kubernetes takes 1024`);
};

/** A variable's source. */
const reference: Rule = ({ name, key }, add) => {
  if (typeof name !== 'string' || !isSubdomain(name))
    add('name', `${JSON.stringify(name ?? '')} is no name of an object`);
  if (typeof key === 'string' && !isKey(key)) add('key', `${JSON.stringify(key)} is no key of a ConfigMap or a Secret`);
};

export const STORAGE_RULES: Record<string, Rule> = {
  'core.v1.PersistentVolumeClaimSpec': claim,
  'core.v1.ConfigMap': kept,
  'core.v1.ConfigMapKeySelector': reference,
  'core.v1.SecretKeySelector': reference,
  'core.v1.Secret': kept,
};
