/** What an earlier version has made in Vault: known by name and content, and only where nothing uses it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AccessInVault, supersededAccess } from '../../../src/plan/vault/superseded.ts';
import { miniCatalog } from '../../support/mini.ts';

const catalog = await miniCatalog();
const [service] = catalog.services.filter(({ secrets }) => secrets.every(({ delivery }) => delivery !== 'login'));
assert.ok(service);
const name = `ananta-${service.name}`;
const TEXT = `# ${service.name}\npath "secret/data/database/main" { capabilities = ["read"] }`;
const role = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  bound_service_account_names: [service.name],
  bound_service_account_namespaces: [service.namespace],
  token_policies: [name],
  ...over,
});
const found = (policies: Record<string, string>, roles: Record<string, Record<string, unknown>> = {}): unknown => {
  const seen: AccessInVault = { policies: new Map(Object.entries(policies)), roles: new Map(Object.entries(roles)) };
  return supersededAccess(catalog, seen);
};

describe('what an earlier version has made in Vault', () => {
  const NOTHING = { policies: [], roles: [] };
  for (const [what, policies, roles, expected] of [
    ['its policy and its role', { [name]: TEXT }, { [name]: role() }, { policies: [name], roles: [name] }],
    ['a policy that no role gives any more', { [name]: TEXT }, {}, { policies: [name], roles: [] }],
    [
      'a policy that a role of somebody gives',
      { [name]: TEXT },
      { theirs: role({ token_policies: ['a', name] }) },
      NOTHING,
    ],
    [
      'a policy that somebody has changed',
      { [name]: `${TEXT}\npath "sys/*" { capabilities = ["read"] }` },
      {},
      NOTHING,
    ],
    ['one that grants more', { [name]: TEXT.replace('["read"]', '["read", "update"]') }, {}, NOTHING],
    ['one that opens all paths', { [name]: TEXT.replace('database/main', '*') }, {}, NOTHING],
    ['one that says nothing of itself', { [name]: TEXT.replace(/^.*\n/, '') }, {}, NOTHING],
    ['of no service of the catalog', { 'ananta-nobody': TEXT.replace(service.name, 'nobody') }, {}, NOTHING],
    ["the deployer's own", { 'ananta-deployer': '# deployer' }, {}, NOTHING],
    [
      'a role that somebody has bound to another account, and what it gives',
      { [name]: TEXT },
      { [name]: role({ bound_service_account_names: ['theirs'] }) },
      NOTHING,
    ],
  ] as [string, Record<string, string>, Record<string, Record<string, unknown>>, object][])
    test(what, () => {
      assert.deepEqual(found(policies, roles), expected);
    });
});
