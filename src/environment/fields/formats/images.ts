/** Images as registries and the kubelet read them (github.com/distribution/reference). */
import { z } from 'zod';
import { IMAGE_VERSION } from '../../image-version.ts';

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const NAME_LENGTH = 255;

/** The first part is a registry when it cannot be anything else: it has a dot, a port, or is localhost. */
function isRegistry(part: string): boolean {
  return /[.:]/.test(part) || part === 'localhost';
}

/** @returns what is wrong with a repository, or with a prefix of some */
export function repositoryProblem(text: string): string | undefined {
  if (text === '') return 'may not be empty';
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    return `has no scheme: write ${text.replace(/^[^:]*:\/\//, '').replace(/\/+$/, '') || 'HOST/PATH'}`;
  if (text.endsWith('/')) return `ends in a slash: write ${text.replace(/\/+$/, '') || 'HOST/PATH'}`;
  if (text.includes('@'))
    return 'holds no digest and no user: those of single images stand in images.tags, logins in pull Secrets';
  if (text.length > NAME_LENGTH) return `has ${text.length} characters: registries take at most ${NAME_LENGTH}`;
  const [first = '', ...rest] = text.split('/');
  const host = isRegistry(first) && (rest.length > 0 || HOST.test(first));
  if (host && !HOST.test(first)) return `${quoted(first)} is no registry: HOST or HOST:PORT`;
  if (host && Number(/:(\d+)$/.exec(first)?.[1] ?? 1) > 65_535)
    return `${quoted(first)} names no port: the highest is 65535`;
  const wrong = (host ? rest : [first, ...rest]).find((part) => !COMPONENT.test(part));
  if (wrong === undefined) return undefined;
  if (wrong.toLowerCase() !== wrong && COMPONENT.test(wrong.toLowerCase()))
    return `${quoted(wrong)} has capital letters: registries take small ones only`;
  if (wrong.includes(':')) return `${quoted(wrong)} holds a tag: those of single images stand in images.tags`;
  return `${quoted(wrong)} is no part of a repository: small letters and digits, with single dots, underscores or dashes between them`;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

export const imagePrefix = z.string().superRefine((text, context) => {
  const problem = repositoryProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

export const imageVersion = z
  .string()
  .regex(IMAGE_VERSION, 'has to be an image tag, or a digest: sha256: and 64 hexadecimal digits');

/** @returns what is wrong with REPOSITORY, REPOSITORY:TAG, REPOSITORY@DIGEST or REPOSITORY:TAG@DIGEST */
export function referenceProblem(text: string, needsVersion: boolean): string | undefined {
  const [named = '', digest, ...more] = text.split('@');
  if (more.length > 0) return 'has to be NAME:TAG or NAME@sha256:DIGEST';
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest))
    return 'has a digest that is none: sha256: and 64 hexadecimal digits';
  const slash = named.lastIndexOf('/');
  const colon = named.indexOf(':', slash + 1);
  const [repository, tag] = colon === -1 ? [named, undefined] : [named.slice(0, colon), named.slice(colon + 1)];
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag))
    return `${quoted(tag)} is no tag: letters, digits, "_", "." and "-", at most 128`;
  return (
    repositoryProblem(repository) ??
    (needsVersion && tag === undefined && digest === undefined
      ? 'needs a tag or a digest: NAME:TAG or NAME@sha256:DIGEST'
      : undefined)
  );
}

export const imageReference = (needsVersion: boolean): z.ZodString =>
  z.string().superRefine((text, context) => {
    const problem = referenceProblem(text, needsVersion);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });
