/**
 * A value that was changed in Vault reaches who reads it: planned beforehand, and never into a mismatch with a server's
 * data.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Catalog } from '../../../src/catalog/schema.ts';
import type { OperationPlan } from '../../../src/contract/operations/plan.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import { buildPlan } from '../../../src/plan/decide.ts';
import { wantedSecrets } from '../../../src/plan/vault/kubernetes-secrets.ts';
import { type ChangedSecret, releaseKey } from '../../../src/plan/observed.ts';
import { allReleases } from '../../../src/plan/releases.ts';
import { miniCatalog, miniEnvironment } from '../../support/mini.ts';
import { asWanted, type ObservedSample, wantedDigests } from '../observed-sample.ts';

const mini = await miniCatalog();
/** As mini, with a path from which no server is initialised: what api gets from others. */
const catalog: Catalog = {
  ...mini,
  secretPaths: [
    ...mini.secretPaths,
    { path: 'apps/mail', origin: 'ours', description: 'Mail', keys: [{ kind: 'fixed', name: 'user', value: 'mail' }] },
  ],
  services: mini.services.map((service) =>
    service.name === 'api'
      ? { ...service, secrets: [...service.secrets, { path: 'apps/mail', delivery: 'kubernetes' }] }
      : service,
  ),
};
let environment: Environment;
before(async () => {
  environment = await miniEnvironment();
});

const STARTED = '2026-01-01T00:00:00Z';
const LATER = '2026-01-02T00:00:00Z';
const MAIL = 'apps/mail';
/** Path whose value a server with data keeps from its initialisation. */
const POSTGRES = catalog.services
  .filter(({ stateful }) => stateful)
  .flatMap(({ secrets }) => secrets.filter(({ delivery }) => delivery === 'kubernetes'))
  .map(({ path }) => path)[0]!;

const changed = (path: string, more: Partial<ChangedSecret>): ChangedSecret[] =>
  wantedSecrets(catalog)
    .filter((secret) => secret.path === path)
    .map(({ namespace, name }) => ({ namespace, name, path, stale: false, ...more }));

function plan(
  changedSecrets: ChangedSecret[],
  {
    since = STARTED,
    onChange = 'restart',
    observed = asWanted(catalog),
  }: { since?: string; onChange?: 'restart' | 'list'; observed?: ObservedSample } = {},
): OperationPlan {
  const podsSince = new Map(allReleases(catalog).map(({ namespace, name }) => [releaseKey(namespace, name), since]));
  const seen: ObservedSample = { ...observed, changedSecrets, podsSince };
  return buildPlan({
    catalog,
    environment: { ...environment, secrets: { onChange } },
    digests: wantedDigests(catalog),
    observed: seen,
  });
}
const restarted = ({ services }: OperationPlan): string[] =>
  services.flatMap(({ steps }) => steps.filter(({ action }) => action === 'restart').map(({ name }) => name));
/** What reads a path through Kubernetes. */
const readers = (path: string): string[] =>
  allReleases(catalog)
    .filter(({ job, secrets }) => !job && secrets.some((use) => use.path === path && use.delivery === 'kubernetes'))
    .map(({ name }) => name);

describe('a Secret whose value has changed', () => {
  test('restarts what has read the former value, and nothing else', () => {
    const made = plan(changed(MAIL, { changedAt: LATER }));
    assert.deepEqual(restarted(made), readers(MAIL));
    assert.ok(restarted(made).includes('api'));
    assert.match(
      made.services.find(({ name }) => name === 'api')?.reason ?? '',
      /Secret \S+ has changed since they started/,
    );
  });

  test("with the authority of Vault's certificate: who logs in to Vault is restarted, servers with data as well", () => {
    const logsIn = allReleases(catalog).filter(
      ({ job, secrets }) => !job && secrets.some(({ delivery }) => delivery === 'login'),
    );
    const namespaces = [...new Set(logsIn.map(({ namespace }) => namespace))];
    const authority = namespaces.map((namespace) => ({
      namespace,
      name: 'vault-ca',
      path: '',
      stale: false,
      changedAt: LATER,
    }));
    assert.deepEqual(
      restarted(plan(authority)),
      logsIn.map(({ name }) => name),
    );
    const listed = plan(authority, { onChange: 'list' });
    assert.deepEqual(restarted(listed), []);
    assert.equal(listed.notes?.filter((note) => /vault-ca.*onChange: list/.test(note)).length, logsIn.length);
  });

  test('that is to be made anew: planned beforehand, for where its value changes with that', () => {
    const made = plan(changed(MAIL, { stale: true }));
    assert.deepEqual(restarted(made), readers(MAIL));
    assert.match(
      made.services.find(({ name }) => name === 'api')?.reason ?? '',
      /where a value that they read has changed: Secret \S+ is made anew from Vault/,
    );
  });

  test('that is to be made anew: its readers wait for that', () => {
    const observed = { ...asWanted(catalog), vaultConfigured: false, vaultReason: 'a Secret is older than its path' };
    const dependsOn = (made: OperationPlan, service: string): readonly string[] | undefined =>
      made.services.find(({ name }) => name === service)?.dependsOn;
    const made = plan(changed(MAIL, { stale: true }), { observed });
    assert.ok(dependsOn(made, 'api')?.includes('vault'));
    assert.deepEqual(dependsOn(made, 'storage'), catalog.services.find(({ name }) => name === 'storage')?.dependsOn);
  });

  test('is of no interest to pods that have started since', () => {
    assert.deepEqual(restarted(plan(changed(MAIL, { changedAt: STARTED }), { since: LATER })), []);
  });

  test('that is installed or upgraded anyway is looked after with that', () => {
    const observed = asWanted(catalog);
    const { namespace } = allReleases(catalog).find(({ name }) => name === 'api')!;
    observed.releases.set(`${namespace}/api`, {
      ...observed.releases.get(`${namespace}/api`)!,
      labels: { 'ananta-digest': 'another' },
    });
    const step = plan(changed(MAIL, { changedAt: LATER }), { observed })
      .services.flatMap(({ steps }) => steps)
      .find(({ name }) => name === 'api');
    assert.deepEqual([step?.action, step?.restart?.length], ['upgrade', 1]);
  });

  test('is only named where the environment says so', () => {
    const made = plan(changed(MAIL, { changedAt: LATER }), { onChange: 'list' });
    assert.deepEqual(restarted(made), []);
    assert.match(
      made.notes?.join('\n') ?? '',
      /^api reads Secret apps\/\S+, which has changed, and is not restarted: the environment says secrets\.onChange: list\. Then: kubectl -n apps rollout restart/m,
    );
  });

  test('and that a server was initialised with: neither it nor its clients are restarted into a mismatch', () => {
    const made = plan(changed(POSTGRES, { changedAt: LATER }));
    assert.deepEqual(restarted(made), []);
    const notes = made.notes?.join('\n') ?? '';
    for (const name of readers(POSTGRES))
      assert.match(
        notes,
        new RegExp(`^${name} reads Secret .* keeps the value that it was initialised with: change it there first`, 'm'),
      );
  });

  test('makes another plan, so that one that was approved before is refused', () => {
    assert.notEqual(plan(changed(MAIL, { changedAt: LATER })).digest, plan([]).digest);
  });
});
