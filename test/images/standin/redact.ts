import { type Check } from './check.ts';

/** Every secret value of the checks, longest first. */
export function secretsOf(checks: readonly Check[]): string[] {
  const values = checks.flatMap((check) => {
    switch (check.kind) {
      case 'material':
        return [check.value, check.signedWith ?? ''];
      case 's3':
        return [check.secretKey];
      case 'oidc':
        return [check.client?.secret ?? ''];
      case 'mongodb':
        return [check.url, check.password];
      default:
        return 'password' in check ? [check.password] : [];
    }
  });
  return [...new Set([...values, ...values.map(encodeURIComponent)])]
    .filter((value) => value !== '')
    .sort((a, b) => b.length - a.length);
}

/** What clients say of a failure may hold what they were given. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .reduce((left, secret) => left.replaceAll(secret, '***'), text)
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300);
}
