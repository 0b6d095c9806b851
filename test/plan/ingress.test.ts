import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { loadCatalog } from '../../src/catalog/index.ts';
import { readConfig } from '../../src/config.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { type Ingress, ingressOf, publicAddress } from '../../src/plan/inputs/ingress.ts';
import { findRelease, findService } from '../../src/plan/releases.ts';
import { overlay } from '../../src/plan/inputs/values.ts';

const catalog = loadCatalog();
const config = readConfig({});
let sandbox: Environment;
before(async () => {
  sandbox = await loadEnvironment('sandbox', config);
});

type Settings = NonNullable<Environment['ingress']>;
const settings: Settings = { controllerNamespace: 'ingress-nginx', annotations: {} };
const CASES: [name: string, settings: Settings | undefined, expected: Ingress | undefined][] = [
  ['none without an ingress controller', undefined, undefined],
  ['the least', settings, { host: 'portal.sandbox.ananta.example', port: 'http', annotations: {} }],
  [
    'a certificate that is there',
    { ...settings, className: 'nginx', tls: { secretName: 'wildcard' } },
    { host: 'portal.sandbox.ananta.example', port: 'http', className: 'nginx', annotations: {}, tlsSecret: 'wildcard' },
  ],
  [
    'a certificate for each host',
    { ...settings, annotations: { a: 'b' }, tls: { clusterIssuer: 'letsencrypt' } },
    {
      host: 'portal.sandbox.ananta.example',
      port: 'http',
      annotations: { a: 'b', 'cert-manager.io/cluster-issuer': 'letsencrypt' },
      tlsSecret: 'customer-portal-tls',
    },
  ],
];

describe('ingress', () => {
  for (const [name, ingress, expected] of CASES) {
    test(name, () => {
      const environment: Environment = {
        ...sandbox,
        domain: 'sandbox.ananta.example',
        ...(ingress === undefined ? {} : { ingress }),
      };
      assert.deepEqual(ingressOf(environment, findService(catalog, 'customer-portal')), expected);
      assert.equal(ingressOf(environment, findService(catalog, 'audit-logger')), undefined);
    });
  }

  test("its controller's namespace is let in, by services with a public host only", () => {
    const environment: Environment = { ...sandbox, ingress: settings };
    const from = (release: string): unknown[] =>
      (overlay(catalog, environment, findRelease(catalog, release), {})['networkPolicy'] as { from: unknown[] }).from;
    assert.ok(from('novu-api').some((peer) => JSON.stringify(peer) === '{"namespace":"ingress-nginx"}'));
    assert.ok(!JSON.stringify(from('control-plane-postgres')).includes('ingress-nginx'));
  });
});

describe('public hosts', () => {
  test('what has no login of its own has none', () => {
    for (const name of ['supabase-studio', 'supabase-meta', 'temporal-ui', 'jaeger', 'vault'])
      assert.equal(findService(catalog, name).publicHost, undefined, name);
  });

  test('every address that services are told leads to one, but for those that need a proxy with a login', () => {
    const folder = join(config.repoRoot, 'helm');
    const texts = readdirSync(join(folder, 'values'), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => readFileSync(join(folder, 'values', name), 'utf8'));
    const realm = readFileSync(join(folder, 'realms', 'ananta-saas.json'), 'utf8');
    const told = [
      ...texts.flatMap((text) => [...text.matchAll(/https:\/\/([a-z-]+)\.\{\{ \.Values\.global\.domain/g)]),
      ...realm.matchAll(/https:\/\/([a-z-]+)\.\$\(env:PLATFORM_DOMAIN\)/g),
    ].map(([, host]) => host!);
    assert.ok(new Set(told).size > 12);
    const open = catalog.services.flatMap(({ publicHost }) => publicHost?.name ?? []);
    assert.deepEqual([...new Set(told.filter((host) => !open.includes(host)))], ['temporal']);
    assert.equal(publicAddress(sandbox, findService(catalog, 'keycloak')), `https://auth.${sandbox.domain}`);
  });
});
