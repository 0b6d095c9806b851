/**
 * YAML as Helm and Kubernetes read it: version 1.1, as go-yaml implements it. `0755` is an octal number there, `on` is
 * true, `1_000` is a number; what is quoted is text. Publishers' charts write file modes so, and so do people.
 */
import {
  type Document,
  isScalar,
  type ParsedNode,
  parseAllDocuments,
  parseDocument,
  type ScalarTag,
  stringify,
  type Tags,
  visit,
} from 'yaml';
import type { Tree } from '../../environment/files/merge.ts';

const scalar = (kind: 'bool' | 'int' | 'float', test: RegExp, resolve: (text: string) => unknown): ScalarTag => ({
  tag: `tag:yaml.org,2002:${kind}`,
  default: true,
  test,
  resolve,
});

const plain = (text: string): string => text.replaceAll('_', '');
const signed = (text: string, prefix: RegExp, radix: number): number => {
  const negative = text.startsWith('-');
  const digits = plain(text).replace(/^[-+]/, '').replace(prefix, '');
  return Number.parseInt(digits, radix) * (negative ? -1 : 1);
};

/** Sexagesimal numbers and times, which the version has too, are text to go-yaml. */
const OLDER: ScalarTag[] = [
  scalar('bool', /^(?:y|Y|yes|Yes|YES|on|On|ON)$/, () => true),
  scalar('bool', /^(?:n|N|no|No|NO|off|Off|OFF)$/, () => false),
  scalar('int', /^[-+]?0o?[0-7_]+$/, (text) => signed(text, /^0o?(?=.)/, 8)),
  scalar('int', /^[-+]?0b[01_]+$/, (text) => signed(text, /^0b/, 2)),
  scalar('int', /^[-+]?0x[0-9a-fA-F_]+$/, (text) => signed(text, /^0x/, 16)),
  scalar('int', /^[-+]?[0-9][0-9_]*$/, (text) => signed(text, /^$/, 10)),
  scalar('float', /^[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?$/, (text) => Number(plain(text))),
];

const OPTIONS = { merge: true, customTags: (tags: Tags): Tags => [...OLDER, ...tags] };

/** @param text one or more documents, as `helm template` prints or Helm records them */
export function kubernetesDocuments(text: string): Document[] {
  return [...parseAllDocuments(text, OPTIONS)];
}

/**
 * A file of values. Keys stay as they are written: a variable may be called `N` or `ON`.
 * @throws YAMLParseError
 */
export function helmValues(text: string): unknown {
  const document = parseDocument(text, { ...OPTIONS, uniqueKeys: (a, b) => keyText(a) === keyText(b) });
  for (const error of document.errors) throw error;
  visit(document, {
    Pair: (_key, pair) => {
      if (!isScalar(pair.key)) return;
      const { value, source } = pair.key;
      if (source !== undefined && typeof value !== 'string' && typeof value !== 'symbol') pair.key.value = source;
    },
  });
  return document.toJS();
}

/** As it is written: `y` and `on` are two keys. */
function keyText(key: ParsedNode): unknown {
  return isScalar(key) && typeof key.value !== 'string' ? key.source : key.toJSON();
}

/** Values for Helm's standard input: JSON is YAML in which text cannot be taken for anything else. */
export function helmText(values: unknown): string {
  return JSON.stringify(values);
}

/** Values that were written for Helm, as they were before: JSON is read a good deal faster as what it is. */
export function writtenValues(text: string): Tree {
  return JSON.parse(text) as Tree;
}

/**
 * An object for people to read and for kubectl to apply: what either version could take for something else is quoted.
 */
export function kubernetesText(object: unknown): string {
  return stringify(object, { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
}
