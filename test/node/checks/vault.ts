/** Vault's policies: a pod reads its own secrets with its own identity, and nobody else's. */
import assert from 'node:assert/strict';
import { z } from 'zod';
import { loadCatalog } from '../../../src/catalog/index.ts';
import { VAULT } from '../../../src/contract/names.ts';
import { vaultRoleName } from '../../../src/plan/vault/policies.ts';
import type { Platform } from '../support/platform.ts';

const loginSchema = z.object({ auth: z.object({ client_token: z.string(), policies: z.array(z.string()) }) });

export async function checkVault(platform: Platform): Promise<void> {
  const { address } = await platform.pod('vault');
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    token = '',
  ): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`http://${address}:8200/v1/${path}`, {
      method,
      headers: { 'x-vault-token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const health = await call('GET', 'sys/health');
  assert.equal(health.status, 200, health.text);

  const readers = loadCatalog().services.filter((service) =>
    service.secrets.some(({ delivery }) => delivery === 'login'),
  );
  assert.ok(readers.length > 1);
  const running = new Set((await platform.pods()).filter(({ ready }) => ready).map(({ release }) => release));
  let checked = 0;
  for (const [index, service] of readers.entries()) {
    if (!running.has(service.name)) continue;
    checked += 1;
    // The token that the pod itself has.
    const jwt = (await platform.exec(service.name, ['cat', '/var/run/secrets/vault/token'])).trim();
    const login = await call('POST', `auth/${VAULT.authMount}/login`, { role: vaultRoleName(service.name), jwt });
    assert.equal(login.status, 200, `${service.name}: ${login.text}`);
    const { client_token: token } = loginSchema.parse(JSON.parse(login.text)).auth;
    for (const { path } of service.secrets.filter(({ delivery }) => delivery === 'login')) {
      assert.equal(
        (await call('GET', `${VAULT.kvMount}/data/${path}`, undefined, token)).status,
        200,
        `${service.name} reads ${path}`,
      );
    }
    const other =
      loadCatalog().secretPaths.find(({ path }) => !service.secrets.some((use) => use.path === path))?.path ?? '';
    assert.equal(
      (await call('GET', `${VAULT.kvMount}/data/${other}`, undefined, token)).status,
      403,
      `${service.name} must not read ${other}`,
    );
    assert.equal((await call('GET', 'sys/policies/acl', undefined, token)).status, 403);
    const neighbour = readers[(index + 1) % readers.length];
    const stolen = await call('POST', `auth/${VAULT.authMount}/login`, {
      role: vaultRoleName(neighbour?.name ?? ''),
      jwt,
    });
    assert.ok(
      [400, 403].includes(stolen.status),
      `${service.name} must not log in as ${neighbour?.name ?? ''}: ${stolen.status}`,
    );
  }
  assert.ok(checked > 0, 'at least one pod that reads Vault itself runs on the real node');
}
