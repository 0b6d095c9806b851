/** The one thing that Vault asks of an API server: whether a service account's token is good. This one takes all. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TokenReviews {
  address: string;
  close: () => Promise<void>;
}

export async function tokenReviews(): Promise<TokenReviews> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString()) as { spec: { token: string; audiences?: string[] } };
      const { sub, uid } = JSON.parse(
        Buffer.from(review.spec.token.split('.')[1] ?? '', 'base64url').toString(),
      ) as Record<string, string>;
      const status = { authenticated: true, audiences: review.spec.audiences ?? [], user: { username: sub, uid } };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

/** A token as the API server makes it, with a signature that nobody here checks. */
export function serviceAccountToken({ namespace, name }: { namespace: string; name: string }): string {
  const now = Math.floor(Date.now() / 1000);
  const uid = `uid-${namespace}-${name}`;
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    aud: ['vault'],
    iss: 'https://kubernetes.default.svc',
    iat: now,
    nbf: now,
    exp: now + 600,
    sub: `system:serviceaccount:${namespace}:${name}`,
    uid,
    'kubernetes.io': { namespace, serviceaccount: { name, uid } },
  };
  return `${encode({ alg: 'RS256', kid: 'k' })}.${encode(claims)}.${Buffer.alloc(256, 1).toString('base64url')}`;
}
