/** The files of a kubeconfig as one, merged as kubectl merges them: of each name the first one counts. */
import { readFileSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { KubeconfigError } from '../errors.ts';
import { EXEC_LOGIN, FILE_LOGIN } from './login.ts';

const named = <T extends z.ZodType>(key: string, value: T) =>
  z.array(z.looseObject({ name: z.string(), [key]: value })).nullish();
const settings = z.record(z.string(), z.unknown()).nullish();
const fileSchema = z.looseObject({
  'current-context': z.string().nullish(),
  clusters: named('cluster', settings),
  users: named('user', settings),
  contexts: named('context', settings),
});
type Part = Record<string, unknown> & { name: string };

export interface KubeconfigDocument {
  'current-context': string;
  clusters: Part[];
  users: Part[];
  contexts: Part[];
}

/** Of a KUBECONFIG such as `a:b`; empty parts are none. */
export function kubeconfigPaths(kubeconfig: string): string[] {
  return kubeconfig.split(delimiter).filter((path) => path !== '');
}

/**
 * @param kubeconfig one path, or several as KUBECONFIG has them; of several, those that are missing are passed over
 * @throws KubeconfigError
 */
export function readKubeconfig(kubeconfig: string): KubeconfigDocument {
  const paths = kubeconfigPaths(kubeconfig);
  const found = paths.flatMap((path) => readOne(path) ?? []);
  if (found.length === 0) {
    const what =
      paths.length > 1
        ? `None of the kubeconfigs ${paths.join(', ')} exists`
        : `The kubeconfig ${kubeconfig} does not exist`;
    throw new KubeconfigError(`${what}. Name another file in the environment's cluster.kubeconfig, or in KUBECONFIG.`);
  }
  const all = (key: 'clusters' | 'users' | 'contexts'): Part[] => {
    const byName = new Map<string, Part>();
    for (const part of found.flatMap((file) => file[key])) if (!byName.has(part.name)) byName.set(part.name, part);
    return [...byName.values()];
  };
  return {
    'current-context': found.map((file) => file['current-context']).find((context) => context !== '') ?? '',
    clusters: all('clusters'),
    users: all('users'),
    contexts: all('contexts'),
  };
}

function readOne(path: string): KubeconfigDocument | undefined {
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'), { logLevel: 'error' }) ?? {};
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(path, error instanceof Error ? error.message : String(error));
  }
  const parsed = fileSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unreadable(path, `${issue?.path.join('.') || 'it'} is not as in a kubeconfig (${issue?.message ?? ''})`);
  }
  const { clusters, users, contexts, 'current-context': current } = parsed.data;
  const folder = dirname(path);
  return {
    'current-context': current ?? '',
    clusters: asParts(clusters).map((part) => inside(part, 'cluster', folder, ['certificate-authority'])),
    users: asParts(users).map((part) =>
      withLogin(inside(part, 'user', folder, ['client-certificate', 'client-key', 'tokenFile']), folder, path),
    ),
    contexts: asParts(contexts),
  };
}

function unreadable(path: string, why: string): KubeconfigError {
  return new KubeconfigError(`The kubeconfig ${path} cannot be read: ${why}`);
}

function asParts(parts: unknown): Part[] {
  return (parts ?? []) as Part[];
}

/** Paths in a file are relative to its folder. */
function inside(part: Part, key: string, folder: string, fields: readonly string[]): Part {
  const body = { ...(part[key] as Record<string, unknown> | null | undefined) };
  for (const field of fields) {
    const path = body[field];
    if (typeof path === 'string' && path !== '') body[field] = resolve(folder, path);
  }
  return { ...part, [key]: body };
}

/** What the library does not know, or not as kubectl does: files with tokens, and plug-ins. */
function withLogin(part: Part, folder: string, file: string): Part {
  const { exec, tokenFile, ...user } = part['user'] as Record<string, unknown>;
  if (exec !== null && typeof exec === 'object') {
    const { command } = exec as { command?: unknown };
    // Only a path; a plain name is looked for on the PATH.
    const plugin =
      typeof command === 'string' && command.includes('/') && !isAbsolute(command)
        ? { ...exec, command: resolve(folder, command) }
        : exec;
    return { ...part, user: { ...user, 'auth-provider': { name: EXEC_LOGIN, config: { plugin, file } } } };
  }
  if (typeof tokenFile !== 'string' || tokenFile === '') return { ...part, user };
  const { token: _older, ...others } = user;
  return { ...part, user: { ...others, 'auth-provider': { name: FILE_LOGIN, config: { path: tokenFile } } } };
}
