/** Reads one YAML file that a person wrote, whatever it turns out to be: bounded, and with words for what is wrong. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Composer, type Document, Parser } from 'yaml';
import { ConfigurationError } from '../errors.ts';
import { isTree, type Tree } from './merge.ts';
import { checkStructure, isNestedTooDeeply } from './yaml-structure.ts';

/** Environment files have some kilobytes; reading one takes milliseconds, whatever stands in it. */
const MAX_BYTES = 64 * 1024;
const SHOWN_PROBLEMS = 5;

export interface YamlFile {
  text: string;
  tree: Tree;
}

/**
 * @param file its name in messages
 * @returns undefined where there is no such file
 * @throws ConfigurationError for a folder, a dangling link, a pipe, bytes that are no text, broken or hostile YAML
 */
export async function readYamlFile(path: string, file: string): Promise<YamlFile | undefined> {
  const text = await readText(path, file);
  return text === undefined ? undefined : { text, tree: parseYaml(text, file) };
}

function refusal(file: string, message: string): ConfigurationError {
  return new ConfigurationError([{ file, field: '', message }]);
}

const UNREADABLE: Record<string, string> = {
  EISDIR: 'is a folder, not a file',
  ELOOP: 'is a link that leads back to itself',
  EACCES: 'may not be read by this user: check its permissions',
  EPERM: 'may not be read by this user: check its permissions',
  ENOTDIR: 'is a link to something that is no file',
  ENXIO: 'is no file that can be read (a pipe, a socket or a device)',
};

async function readText(path: string, file: string): Promise<string | undefined> {
  let handle: FileHandle;
  try {
    // Without waiting for a writer, if it is a pipe.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw refusal(file, UNREADABLE[code] ?? `cannot be read: ${(error as Error).message}`);
  }
  try {
    const found = await handle.stat();
    if (found.isDirectory()) throw refusal(file, 'is a folder, not a file');
    if (!found.isFile()) throw refusal(file, 'is no file that can be read (a pipe, a socket or a device)');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_BYTES + 1), 0, MAX_BYTES + 1, 0);
    if (bytesRead > MAX_BYTES)
      throw refusal(file, `is larger than ${MAX_BYTES / 1024} KiB: this is no environment file`);
    return decoded(buffer.subarray(0, bytesRead), file);
  } finally {
    await handle.close();
  }
}

function decoded(bytes: Buffer, file: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refusal(file, 'is not UTF-8 text: save it as UTF-8');
  }
  if (text.includes('\0'))
    throw refusal(file, 'holds a NUL byte: this is no text file, or it is UTF-16 (save it as UTF-8)');
  return text;
}

function parseYaml(text: string, file: string): Tree {
  const tokens = [...new Parser().parse(text)];
  if (isNestedTooDeeply(tokens)) throw refusal(file, 'is nested more deeply than any environment');
  const composer = new Composer({ merge: true, uniqueKeys: false, logLevel: 'error' });
  const documents = [...composer.compose(tokens, true, text.length)];
  const [document] = documents;
  if (document === undefined) return {};
  const broken = [...document.errors, ...document.warnings].map((error) => explained(error, text));
  if (broken.length > 0) {
    throw new ConfigurationError(broken.slice(0, SHOWN_PROBLEMS).map((message) => ({ file, field: '', message })));
  }
  if (documents.length > 1) throw refusal(file, 'holds several documents (---): one file is one environment');
  const problems = checkStructure(document, (offset) => lineAt(text, offset));
  if (problems.length > 0) {
    throw new ConfigurationError(problems.slice(0, SHOWN_PROBLEMS).map((problem) => ({ file, ...problem })));
  }
  return asTree(document, file);
}

function asTree(document: Document, file: string): Tree {
  let tree: unknown;
  try {
    tree = document.toJS({ maxAliasCount: -1 }) ?? {};
  } catch (error) {
    throw refusal(file, `is not valid YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isTree(tree)) throw refusal(file, 'has to be a group of keys, as in environments/sandbox.yaml');
  return tree;
}

function explained(
  { code, message, pos }: Document['errors'][number] | Document['warnings'][number],
  text: string,
): string {
  const line = lineAt(text, pos[0]);
  const tag =
    code === 'TAG_RESOLVE_FAILED' ? /^Unresolved tag: (?:tag:yaml\.org,2002:)?(.*)$/m.exec(message)?.[1] : undefined;
  if (tag !== undefined) {
    return `line ${line} uses the tag ${tag.startsWith('!') ? tag : `!!${tag}`}: only plain texts, numbers, lists and groups of keys are read`;
  }
  return `is not valid YAML: line ${line}: ${message.split('\n')[0] ?? message}`;
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
