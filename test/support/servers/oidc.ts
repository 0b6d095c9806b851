/** An issuer of OpenID Connect for tests, and an embedded API server that takes its tokens. */
import { createSign, generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pidFileOf } from '../../../bootstrap/layout.ts';
import { endProcess, runningDaemon } from '../../../bootstrap/process/daemon.ts';
import type { Embedded } from '../embedded.ts';
import { certificates } from './tls.ts';

export interface Issuer {
  /** An AuthenticationConfiguration of the API server: names and groups get the prefix `oidc:`. */
  configuration: string;
  token: (email: string, groups: readonly string[], audience?: string) => string;
  close: () => Promise<void>;
}

const AUDIENCE = 'ananta';
const KEY = 'test';

/** @param folder for its certificates */
export async function oidcIssuer(folder: string): Promise<Issuer> {
  const { ca, cert, key } = await certificates(folder);
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const server = createServer({ cert: await readFile(cert), key: await readFile(key) }, (incoming, outgoing) => {
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: KEY, alg: 'RS256', use: 'sig' };
    const answers: Record<string, object> = {
      '/.well-known/openid-configuration': {
        issuer: url,
        jwks_uri: `${url}/keys`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      },
      '/keys': { keys: [jwk] },
    };
    const answer = answers[incoming.url ?? ''];
    outgoing.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const mapped = (claim: string): object => ({ claim, prefix: 'oidc:' });
  return {
    configuration: JSON.stringify({
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'AuthenticationConfiguration',
      jwt: [
        {
          issuer: { url, audiences: [AUDIENCE], certificateAuthority: await readFile(ca, 'utf8') },
          claimMappings: { username: mapped('email'), groups: mapped('groups') },
        },
      ],
    }),
    token: (email, groups, audience = AUDIENCE) => {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: url, aud: audience, sub: email, email, email_verified: true, groups };
      const parts = [
        { alg: 'RS256', typ: 'JWT', kid: KEY },
        { ...claims, iat: now, exp: now + 3600 },
      ];
      const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
      return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The API server is started anew, with this AuthenticationConfiguration beside its own ways to sign in. */
export async function authenticatesBy({ layout, up }: Embedded, configuration: string): Promise<void> {
  const file = join(layout.cluster, 'authentication.json');
  await writeFile(file, configuration);
  const record = join(layout.cluster, 'components.json');
  const recorded = JSON.parse(await readFile(record, 'utf8')) as { components: { name: string; args: string[] }[] };
  const server = recorded.components.find(({ name }) => name === 'kube-apiserver');
  if (server === undefined) throw new Error('the cluster has no API server');
  server.args.push(`--authentication-config=${file}`);
  await writeFile(record, JSON.stringify(recorded));
  const running = await runningDaemon(pidFileOf(layout, 'kube-apiserver'));
  if (running !== undefined) await endProcess(running, 0);
  await up();
}
