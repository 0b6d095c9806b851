import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Environment } from '../../../src/environment/schema.ts';
import { type Ingress, ingressOf, publicAddress } from '../../../src/plan/inputs/ingress.ts';
import { findRelease, findService } from '../../../src/plan/releases.ts';
import { overlay } from '../../../src/plan/inputs/values.ts';
import { miniCatalog, miniEnvironment } from '../../support/mini.ts';

const catalog = await miniCatalog();
let sandbox: Environment;
before(async () => {
  sandbox = await miniEnvironment();
});

type Settings = NonNullable<Environment['ingress']>;
const settings: Settings = { controllerNamespace: 'ingress-nginx', annotations: {} };
const CASES: [name: string, settings: Settings | undefined, expected: Ingress | undefined][] = [
  ['none without an ingress controller', undefined, undefined],
  ['the least', settings, { host: 'www.sandbox.ananta.example', port: 'http', annotations: {} }],
  [
    'a certificate that is there',
    { ...settings, className: 'nginx', tls: { secretName: 'wildcard' } },
    { host: 'www.sandbox.ananta.example', port: 'http', className: 'nginx', annotations: {}, tlsSecret: 'wildcard' },
  ],
  [
    'a certificate for each host',
    { ...settings, annotations: { a: 'b' }, tls: { clusterIssuer: 'letsencrypt' } },
    {
      host: 'www.sandbox.ananta.example',
      port: 'http',
      annotations: { a: 'b', 'cert-manager.io/cluster-issuer': 'letsencrypt' },
      tlsSecret: 'web-tls',
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
      assert.deepEqual(ingressOf(environment, findService(catalog, 'web')), expected);
      assert.equal(ingressOf(environment, findService(catalog, 'worker')), undefined);
    });
  }

  test("its controller's namespace is let in, by services with a public host only", () => {
    const environment: Environment = { ...sandbox, ingress: settings };
    const from = (release: string): unknown[] =>
      (overlay(catalog, environment, findRelease(catalog, release), {})['networkPolicy'] as { from: unknown[] }).from;
    assert.ok(from('auth').some((peer) => JSON.stringify(peer) === '{"namespace":"ingress-nginx"}'));
    assert.ok(!JSON.stringify(from('database')).includes('ingress-nginx'));
  });
});

test('the public address of a service is its host below the domain', () => {
  assert.equal(publicAddress(sandbox, findService(catalog, 'auth')), `https://auth.${sandbox.domain}`);
});
