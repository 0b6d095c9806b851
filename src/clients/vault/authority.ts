/**
 * The certificate authority that Vault's certificate is checked against: from a Secret in its namespace, read through
 * the API server.
 */
import { z } from 'zod';
import { VAULT } from '../../contract/names.ts';
import { type KubernetesClient, paths } from '../kubernetes/index.ts';
import { VaultUnreachableError } from './errors.ts';
import type { TunnelTarget } from './tunnel.ts';

const secretSchema = z.object({ data: z.object({ 'ca.crt': z.string().min(1) }) });
/** A new certificate may have another authority. */
const KEPT_MILLISECONDS = 60_000;

/** PEM. @throws VaultUnreachableError where the Secret is not there, or lacks it */
export async function readAuthority(
  kubernetes: Pick<KubernetesClient, 'get'>,
  namespace: string,
  secret: string,
  signal?: AbortSignal,
): Promise<string> {
  const found = secretSchema.safeParse(await kubernetes.get(paths.secret(namespace, secret), signal));
  if (!found.success)
    throw new VaultUnreachableError(
      `Secret ${namespace}/${secret} with Vault's certificate (vault.tls.secret) is not there, or has no ca.crt: whoever issues certificates has to make it, with tls.crt, tls.key and ca.crt`,
    );
  return Buffer.from(found.data.data['ca.crt'], 'base64').toString('utf8');
}

export function vaultTls(
  kubernetes: Pick<KubernetesClient, 'get'>,
  namespace: string,
  secret: string,
): NonNullable<TunnelTarget['tls']> {
  let known: { until: number; authority: Promise<string> } | undefined;
  return {
    name: `${VAULT.service}.${namespace}.svc`,
    authority: (fresh = false) => {
      if (fresh || known === undefined || known.until < performance.now()) {
        known = {
          until: performance.now() + KEPT_MILLISECONDS,
          authority: readAuthority(kubernetes, namespace, secret),
        };
        const reading = known;
        reading.authority.catch(() => {
          if (known === reading) known = undefined;
        });
      }
      return known.authority;
    },
  };
}
