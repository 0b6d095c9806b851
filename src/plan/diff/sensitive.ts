/** What sounds or looks like a secret, in names and in texts of others, and what stands in its place. Pure. */
import { createHmac, randomBytes } from 'node:crypto';
import { isSensitiveName } from '../../sensitive-name.ts';

export { isSensitiveName } from '../../sensitive-name.ts';

/** Shows that a value is another one, and no more. */
export type Fingerprint = (value: unknown) => string;

/**
 * Keyed, so that whoever reads it cannot try out guesses.
 * @param key undefined: then only that there is a value is shown
 */
export function fingerprintWith(key: string | undefined): Fingerprint {
  if (key === undefined) return () => '(hidden)';
  const digest = (value: unknown): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([value]))
      .digest('hex');
  return (value) => `(hidden, fingerprint ${digest(value).slice(0, 8)})`;
}

/** For what is compared and shown by one process: the same value has another fingerprint in the next one. */
export const fingerprint: Fingerprint = fingerprintWith(randomBytes(32).toString('hex'));

/** To its end, or to that of the string it stands in. */
const PRIVATE_KEY = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----[^"']*?(?:-----END \1-----|(?=["'])|$)/g;
const BEARER = /\b(Bearer|Basic)(\s+)([A-Za-z0-9._~+/-]{12,}=*)/gi;
const WEB_TOKEN = /\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*/g;
const VAULT_TOKEN = /\bhv[sbr]\.[\w-]{12,}/g;
/** `scheme://user:password@host`; a password may hold at-signs where nobody has escaped them. */
const IN_ADDRESS = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/'"]*:)([^\s'"/]+)(?=@[\w.[-])/gi;
/** `password: abc`, `"TOKEN": "abc"`, `--db-pass=abc`. */
const NAMED = /([\w.-]+)(["']?\s*[:=]\s*)("[^"\n]*"|'[^'\n]*'|[^\s,;}\n]+)/g;

/** What looks like a secret whatever stands before it: it has no place in any text of ours. */
export function withoutSecretForms(text: string, hide: Fingerprint): string {
  return text
    .replace(PRIVATE_KEY, (key) => hide(key))
    .replace(BEARER, (_all, kind: string, blank: string, token: string) => `${kind}${blank}${hide(token)}`)
    .replace(WEB_TOKEN, (token) => hide(token))
    .replace(VAULT_TOKEN, (token) => hide(token))
    .replace(IN_ADDRESS, (_all, before: string, secret: string) => `${before}${hide(secret)}`);
}

/** For logs, events, configuration: values that stand behind a name that sounds secret are hidden, too. */
export function withoutNamedSecrets(text: string, hide: Fingerprint): string {
  const named = text
    .replace(PRIVATE_KEY, (key) => hide(key))
    .replace(BEARER, (_all, kind: string, blank: string, token: string) => `${kind}${blank}${hide(token)}`)
    .replace(NAMED, (all, name: string, between: string, value: string) =>
      isSensitiveName(name) && !/^(?:Bearer|Basic)$/i.test(value) ? `${name}${between}${hide(value)}` : all,
    );
  return withoutSecretForms(named, hide);
}
