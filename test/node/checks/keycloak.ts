/** The realm, its clients, and a token from it, over the NodePort. */
import assert from 'node:assert/strict';
import { z } from 'zod';
import type { Platform } from '../support/platform.ts';

const REALM = 'ananta-saas';
const CLIENTS = [
  'admin-app',
  'backstage-portal',
  'cns-dashboard',
  'customer-portal',
  'dashboard',
  'tenant-management-service',
];
const ROLES = ['catalog-editor', 'platform-admin', 'tenant-member', 'tenant-owner'];
const claimsSchema = z.object({
  iss: z.string(),
  azp: z.string(),
  resource_access: z.record(z.string(), z.object({ roles: z.array(z.string()) })),
});

export async function checkKeycloak(platform: Platform): Promise<void> {
  const base = `http://${platform.node}:31180`;
  const token = async (
    realm: string,
    form: Record<string, string | undefined>,
  ): Promise<{ status: number; token: string }> => {
    const answer = await fetch(`${base}/realms/${realm}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams(form as Record<string, string>),
    });
    const said = await answer.text();
    return {
      status: answer.status,
      token: answer.ok ? z.object({ access_token: z.string() }).parse(JSON.parse(said)).access_token : said,
    };
  };
  const secret = await platform.secret('auth-system', 'auth/keycloak');

  const client = await token(REALM, {
    grant_type: 'client_credentials',
    client_id: 'tenant-management-service',
    client_secret: secret['tenant-management-service-client-secret'],
  });
  assert.equal(client.status, 200, client.token);
  const claims = claimsSchema.parse(JSON.parse(Buffer.from(client.token.split('.')[1] ?? '', 'base64url').toString()));
  assert.match(claims.iss, new RegExp(`/realms/${REALM}$`));
  assert.equal(claims.azp, 'tenant-management-service');
  assert.ok(
    claims.resource_access['realm-management']?.roles.includes('manage-users'),
    'the service account has its roles',
  );
  const refused = await token(REALM, {
    grant_type: 'client_credentials',
    client_id: 'tenant-management-service',
    client_secret: 'not-the-secret',
  });
  assert.equal(refused.status, 401, refused.token);

  const admin = await token('master', {
    grant_type: 'password',
    client_id: 'admin-cli',
    username: secret['admin-username'],
    password: secret['admin-password'],
  });
  assert.equal(admin.status, 200, admin.token);
  const get = async (path: string): Promise<unknown> => {
    const answer = await fetch(`${base}/admin/realms/${REALM}${path}`, {
      headers: { authorization: `Bearer ${admin.token}` },
    });
    assert.equal(answer.status, 200, `${path}: ${answer.status}`);
    return answer.json();
  };
  const clients = z
    .array(
      z.object({
        clientId: z.string(),
        redirectUris: z.array(z.string()).default([]),
        defaultClientScopes: z.array(z.string()).default([]),
      }),
    )
    .parse(await get('/clients'));
  for (const name of CLIENTS) {
    const found = clients.find(({ clientId }) => clientId === name);
    assert.ok(found, `client ${name}`);
    assert.ok(!JSON.stringify(found).includes('$('), `client ${name}: every variable is replaced`);
    if (name !== 'tenant-management-service')
      assert.ok(
        found.defaultClientScopes.includes('tenant') && found.defaultClientScopes.includes('profile'),
        `client ${name}: scopes ${found.defaultClientScopes.join(', ')}`,
      );
  }
  const roles = z
    .array(z.object({ name: z.string() }))
    .parse(await get('/roles'))
    .map(({ name }) => name);
  assert.deepEqual(
    ROLES.filter((name) => !roles.includes(name)),
    [],
  );
}
