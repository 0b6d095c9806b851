/**
 * A value that was changed in Vault reaches who reads it: planned beforehand, and never into a mismatch with a server's
 * data.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { loadCatalog } from '../../src/catalog/index.ts';
import { readConfig } from '../../src/config.ts';
import type { OperationPlan } from '../../src/contract/plan.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { buildPlan } from '../../src/plan/decide.ts';
import { wantedSecrets } from '../../src/plan/vault/kubernetes-secrets.ts';
import { type ChangedSecret, releaseKey } from '../../src/plan/observed.ts';
import { allReleases } from '../../src/plan/releases.ts';
import { asWanted, type ObservedSample, wantedDigests } from './observed-sample.ts';

const catalog = loadCatalog();
let environment: Environment;
before(async () => {
  environment = await loadEnvironment('sandbox', readConfig({}));
});

const STARTED = '2026-01-01T00:00:00Z';
const LATER = '2026-01-02T00:00:00Z';
const DJANGO = 'app-plane/django-backend';
/** Of a server that keeps what it was initialised with. */
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
    const made = plan(changed(DJANGO, { changedAt: LATER }));
    assert.deepEqual(restarted(made), readers(DJANGO));
    assert.ok(restarted(made).includes('django-backend'));
    assert.match(
      made.services.find(({ name }) => name === 'django-backend')?.reason ?? '',
      /Secret \S+ has changed since they started/,
    );
  });

  test('that is to be made anew: planned beforehand, for where its value changes with that', () => {
    const made = plan(changed(DJANGO, { stale: true }));
    assert.deepEqual(restarted(made), readers(DJANGO));
    assert.match(
      made.services.find(({ name }) => name === 'django-backend')?.reason ?? '',
      /where a value that they read has changed: Secret \S+ is made anew from Vault/,
    );
  });

  test('that is to be made anew: its readers wait for that', () => {
    const observed = { ...asWanted(catalog), vaultConfigured: false, vaultReason: 'a Secret is older than its path' };
    const dependsOn = (made: OperationPlan, service: string): readonly string[] | undefined =>
      made.services.find(({ name }) => name === service)?.dependsOn;
    const made = plan(changed(DJANGO, { stale: true }), { observed });
    assert.ok(dependsOn(made, 'django-backend')?.includes('vault'));
    assert.deepEqual(
      dependsOn(made, 'dashboard'),
      catalog.services.find(({ name }) => name === 'dashboard')?.dependsOn,
    );
  });

  test('is of no interest to pods that have started since', () => {
    assert.deepEqual(restarted(plan(changed(DJANGO, { changedAt: STARTED }), { since: LATER })), []);
  });

  test('that is installed or upgraded anyway is looked after with that', () => {
    const observed = asWanted(catalog);
    const { namespace } = allReleases(catalog).find(({ name }) => name === 'django-backend')!;
    observed.releases.set(`${namespace}/django-backend`, {
      ...observed.releases.get(`${namespace}/django-backend`)!,
      labels: { 'ananta-digest': 'another' },
    });
    const step = plan(changed(DJANGO, { changedAt: LATER }), { observed })
      .services.flatMap(({ steps }) => steps)
      .find(({ name }) => name === 'django-backend');
    assert.deepEqual([step?.action, step?.restart?.length], ['upgrade', 1]);
  });

  test('is only named where the environment says so', () => {
    const made = plan(changed(DJANGO, { changedAt: LATER }), { onChange: 'list' });
    assert.deepEqual(restarted(made), []);
    assert.match(
      made.notes?.join('\n') ?? '',
      /^django-backend reads Secret app-plane\/\S+, which has changed, and is not restarted: the environment says secrets\.onChange: list\. Then: kubectl -n app-plane rollout restart/m,
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
    assert.notEqual(plan(changed(DJANGO, { changedAt: LATER })).digest, plan([]).digest);
  });
});
