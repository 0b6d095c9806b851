/**
 * The identity of a cluster, read from the cluster itself, so that it does not depend on the address by which it is
 * reached.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import type { ClusterIdentity } from '../../contract/cluster.ts';
import { RECORDS_NAMESPACE } from '../../contract/names.ts';
import { isForbidden } from './errors.ts';
import type { KubernetesObject } from './objects.ts';
import { paths } from './paths.ts';

/**
 * Kubernetes publishes its authority in every namespace. In the first one the identities of ours may read it, in the
 * second one administrators may.
 */
const PUBLISHED_IN = [RECORDS_NAMESPACE, 'kube-system'];
const publishedSchema = z.object({ data: z.object({ 'ca.crt': z.string().min(1) }) });

export interface Asked {
  uid: () => Promise<string>;
  /** @returns undefined when there is no such object */
  get: (path: string) => Promise<KubernetesObject | undefined>;
  /** PEM of the authority by which the connection is checked; undefined: the system's. */
  trusted: () => Promise<string | undefined>;
}

export async function clusterIdentity({ uid: askUid, get, trusted }: Asked): Promise<ClusterIdentity> {
  const [uid, published] = await Promise.all([askUid(), publishedAuthority(get)]);
  const authority = authorityFingerprint(published ?? (await trusted()) ?? '');
  return { uid, ...(authority === undefined ? {} : { authority }) };
}

async function publishedAuthority(get: Asked['get']): Promise<string | undefined> {
  for (const namespace of PUBLISHED_IN) {
    const found = await get(paths.configMap(namespace, 'kube-root-ca.crt')).catch((error: unknown) => {
      if (isForbidden(error)) return undefined;
      throw error;
    });
    const parsed = publishedSchema.safeParse(found);
    if (parsed.success) return parsed.data.data['ca.crt'];
  }
  return undefined;
}

/**
 * @param pem one certificate or several, in any order and with any text between them
 * @returns `sha256:` and 64 hex digits; undefined where there is none in it
 */
export function authorityFingerprint(pem: string): string | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const prints = [
    ...new Set(blocks.map((block) => new X509Certificate(block).fingerprint256.replaceAll(':', '').toLowerCase())),
  ].sort();
  const [only] = prints;
  if (only === undefined) return undefined;
  return `sha256:${prints.length === 1 ? only : createHash('sha256').update(prints.join('\n')).digest('hex')}`;
}
