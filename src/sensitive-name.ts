/** Names of variables, keys and fields whose value nobody should read. Pure. */

const WORDS = '(?:^|[^a-z])(?:pass|pwd|passwd|jwt|dsn)(?:$|[^a-z])';
const PARTS = 'passw|passphrase|secret|token|credential|erlang-cookie|authorization$|connection-?string|conn-?str';
const KEYS = '(?:api|private|signing|encryption|access|master|shared|session|account|storage)-?keys?(?:$|[^a-z])';
const AUTH = 'basic-?auth|auth-?(?:header|key|string|pass)';
const SENSITIVE = new RegExp([WORDS, PARTS, KEYS, AUTH].join('|'));
/** In charts' values: where a secret is, and not the secret itself: `existingSecret`, `adminPasswordKey`. */
const REFERENCE =
  /existing|secret-?(?:name|ref|keys?$)s?|(?:password|token|credentials?)-(?:key|secret|secret-key)s?$|-(?:name|ref|file|path|policy|provider|url|create|enabled)$/;
const AMBIGUOUS = /^secret-key$/;

/** `DB_PASS`, `redisPwd`, `AUTH_HEADER`, `API_DSN`. */
export function isSensitiveName(name: string): boolean {
  return SENSITIVE.test(dashed(name));
}

/**
 * Whether what stands under this key of a chart's values is a secret, and not the name of a Secret or of its key.
 * @param key the last part of its path: `postgresPassword`
 */
export function holdsSecret(key: string): boolean {
  const name = dashed(key);
  return SENSITIVE.test(name) && (AMBIGUOUS.test(name) || !REFERENCE.test(name));
}

const dashed = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[_.\s]/g, '-');
