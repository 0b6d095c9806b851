/**
 * YAML as Helm reads it: `0755` is an octal number there, as in version 1.1, and publishers' charts write file modes
 * so.
 */
import { type Document, parseAllDocuments, type ScalarTag } from 'yaml';

const OCTAL: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?0[0-7]+$/,
  resolve: (text) => Number.parseInt(text, 8),
};

/** @param text one or more documents, as `helm template` prints or Helm records them */
export function kubernetesDocuments(text: string): Document[] {
  return [...parseAllDocuments(text, { customTags: (tags) => [OCTAL, ...tags] })];
}
