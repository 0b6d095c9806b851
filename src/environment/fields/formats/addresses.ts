/** Host names, addresses and paths, with words for what is wrong. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { isLabel } from './kubernetes-names.ts';

const LARGEST_PORT = 65_535;
/** `auth.`, `portal.` and the like come in front. */
const DOMAIN_LENGTH = 200;

function domainProblem(text: string): string | undefined {
  if (text === '') return 'may not be empty';
  if (/^[a-z]+:\/\//i.test(text)) return `has no scheme: write ${bare(text)}`;
  if (/[/?#@]/.test(text)) return `is a domain alone: write ${bare(text)}`;
  if (text.includes(':')) return 'has no port: services answer on those of their addresses';
  if (text.startsWith('*.')) return `has no asterisk: write ${text.slice(2)}`;
  if (text.length > DOMAIN_LENGTH)
    return `has ${text.length} characters: at most ${DOMAIN_LENGTH}, names of services come in front`;
  const labels = text.split('.');
  if (labels.some((label) => label === '')) return 'has a dot too many';
  if (/^\d+$/.test(labels.at(-1) ?? ''))
    return 'has to be a name: services get names below it, which an IP address has not';
  const wrong = labels.find((label) => !isLabel(label));
  if (wrong === undefined) return undefined;
  if (isLabel(wrong.toLowerCase())) return `is written in small letters: ${text.toLowerCase()}`;
  return `has to be a domain: ${JSON.stringify(wrong.slice(0, 80))} is not made of small letters, digits and inner dashes, at most 63 (xn--… for others)`;
}

function bare(text: string): string {
  return (
    text
      .replace(/^[a-z]+:\/\//i, '')
      .replace(/^[^/@]*@/, '')
      .replace(/[:/?#].*$/, '') || 'HOST'
  );
}

/** Below which the public hosts of an Ingress are: DNS-1123, each part at most 63 characters. */
export const domain = z.string().superRefine((text, context) => {
  const problem = domainProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

export const hostPort = z.string().superRefine((text, context) => {
  const match = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?):(\d{1,5})$/.exec(text);
  const port = Number(match?.[1] ?? 0);
  const scheme = /^[a-z]+:\/\//i.test(text) ? ', without a scheme' : '';
  if (match === null) context.addIssue({ code: 'custom', message: `has to be host:port${scheme}` });
  else if (port < 1 || port > LARGEST_PORT)
    context.addIssue({ code: 'custom', message: `has to be host:port with a port from 1 to ${LARGEST_PORT}` });
});

export const hostName = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/, 'has to be the name of a host');

/** @param form in messages: `https://HOST:PORT` */
export const webAddress = (form: string, schemes = ['https', 'http']): z.ZodString =>
  z.string().superRefine((text, context) => {
    const problem = webAddressProblem(text, form, schemes);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

function webAddressProblem(text: string, form: string, schemes: readonly string[]): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    /\s/.test(text) ||
    !/^\w+:\/\/[^/\\]/.test(text) ||
    url.hostname === '' ||
    !schemes.includes(url.protocol.slice(0, -1))
  )
    return `has to be ${form}`;
  return url.username === '' && url.password === ''
    ? undefined
    : 'must not hold a name or password: this file is no place for secrets';
}

/** As git and Argo CD take them: https://, ssh://, git@HOST:PATH. */
export const repositoryAddress = z.string().superRefine((text, context) => {
  if (/^[\w.-]+@[\w.-]+:[^\s:][^\s]*$/.test(text)) return;
  const url = URL.canParse(text) && !/\s/.test(text) ? new URL(text) : undefined;
  if (url === undefined || !['https:', 'http:', 'ssh:', 'git:', 'oci:', 'file:'].includes(url.protocol)) {
    context.addIssue({
      code: 'custom',
      message: 'has to be the address of a git repository: https://HOST/PATH, ssh://git@HOST/PATH or git@HOST:PATH',
    });
  } else if (url.password !== '' || (url.username !== '' && url.protocol.startsWith('http'))) {
    context.addIssue({
      code: 'custom',
      message: 'must not hold a name or password: Argo CD gets logins from a Secret of its own',
    });
  }
});

/** A path on the machine that reads it; `~/` is the user's home folder. Other variables are not replaced. */
export const filePath = z
  .string()
  .superRefine((text, context) => {
    const problem = text === '' ? 'may not be empty' : pathProblem(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .transform(expandHome);

function pathProblem(text: string): string | undefined {
  if (/\p{Cc}/u.test(text)) return 'is no path of a file: it holds control characters';
  if (/^~[^/]/.test(text)) return 'names the home folder of somebody else: write the path in full';
  if (text.includes('$'))
    return 'holds a variable, and none is replaced here: write ~/ for the home folder, or the path in full';
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
    ? 'has to be the path of a file on this machine, not an address'
    : undefined;
}

export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}
