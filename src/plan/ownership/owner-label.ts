/**
 * The owner label: whose an object is by it, and how it comes onto what a chart renders. On the objects alone, never in
 * selectors, pod templates or claim templates, so that nothing restarts for it and nothing that cannot be changed is.
 * Pure.
 */
import { type Document, isMap, parseDocument, Scalar } from 'yaml';
import { OWNER_LABEL } from '../../contract/names.ts';
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { treeOf } from '../inputs/helm-marks.ts';
import { kubernetesDocuments, kubernetesText } from '../inputs/kubernetes-yaml.ts';

/** Another environment has put its name on it. */
export function isOfAnother(
  labels: Readonly<Record<string, string>> | null | undefined,
  environment: string,
  formerly: readonly string[] = [],
): boolean {
  const owner = labels?.[OWNER_LABEL];
  return owner !== undefined && owner !== environment && !formerly.includes(owner);
}

/** A copy that carries the environment's name. */
export function withOwner(object: Tree, environment: string): Tree {
  const metadata = treeOf(object['metadata']);
  return {
    ...object,
    metadata: { ...metadata, labels: { ...treeOf(metadata['labels']), [OWNER_LABEL]: environment } },
  };
}

/**
 * The same of a whole manifest. Of each document only the lines of its metadata are read and written anew: definitions
 * are megabytes, and everything else stays byte for byte.
 * @param manifest YAML documents, as a chart renders them
 */
export function labelledManifest(manifest: string, environment: string): string {
  return manifest
    .split(/^(?=---(?:\s|$))/m)
    .map((text) => labelled(text, environment))
    .join('');
}

function labelled(text: string, environment: string): string {
  const [, kind = ''] = /^kind:[ \t]*["']?(\w+)/m.exec(text) ?? [];
  // Nothing below a key of the outermost block begins in the first column.
  const lines = /^metadata:.*\n(?:(?:[ \t\r].*|#.*|)\n)*/m.exec(text.endsWith('\n') ? text : `${text}\n`);
  const head = lines === null || kind === '' || kind.endsWith('List') ? undefined : labelledHead(lines[0], environment);
  if (lines === null || head === undefined) return labelledWhole(text, environment);
  return `${text.slice(0, lines.index)}${head}${text.slice(lines.index + lines[0].length)}`;
}

/** @returns undefined where the lines cannot be read by themselves */
function labelledHead(lines: string, environment: string): string | undefined {
  const document: Document = parseDocument(lines, { schema: 'failsafe' });
  if (document.errors.length > 0 || !isMap(document.get('metadata'))) return undefined;
  const value = new Scalar(environment);
  value.type = Scalar.QUOTE_DOUBLE;
  const labels = ['metadata', 'labels'];
  if (isMap(document.getIn(labels))) document.setIn([...labels, OWNER_LABEL], value);
  else document.setIn(labels, document.createNode({ [OWNER_LABEL]: value }));
  return document.toString({ lineWidth: 0, verifyAliasOrder: false });
}

/** In whatever way it is written; of a list each of its items. */
function labelledWhole(text: string, environment: string): string {
  const object: unknown = kubernetesDocuments(text)[0]?.toJS();
  if (!isTree(object) || typeof object['kind'] !== 'string') return text;
  const items = object['items'];
  const whole = Array.isArray(items)
    ? { ...object, items: items.map((item: unknown) => (isTree(item) ? withOwner(item, environment) : item)) }
    : withOwner(object, environment);
  const source = /^# Source: .*$/m.exec(text)?.[0];
  return `---\n${source === undefined ? '' : `${source}\n`}${kubernetesText(whole)}`;
}
