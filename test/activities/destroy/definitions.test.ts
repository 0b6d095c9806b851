import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { definitionsToRemove } from '../../../src/effects/destroy/definitions.ts';
import type { Survey } from '../../../src/effects/destroy/survey.ts';
import type { Clients } from '../../../src/clients/index.ts';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import { readConfig } from '../../../src/config.ts';
import { miniCatalog, miniEnvironment } from '../../support/mini.ts';

const OURS = 'clusters.postgresql.cnpg.io';
const BEFORE = '2026-01-01T00:00:00Z';
const PLATFORM = '2026-01-02T00:00:00Z';
const AFTER = '2026-01-03T00:00:00Z';

function definition(more: Record<string, unknown>, name = OURS): KubernetesObject {
  const [plural = '', ...group] = name.split('.');
  return {
    metadata: { name, uid: `uid-${name}`, resourceVersion: '1', ...more },
    spec: { group: group.join('.'), names: { plural, kind: 'Thing' }, versions: [{ name: 'v1', served: true }] },
  };
}

/**
 * Which CRDs a destruction deletes, in a cluster whose platform's first namespace was created at `PLATFORM`, or that
 * has none any more.
 */
async function decided(
  definitions: KubernetesObject[],
  options: { namespaces?: boolean; instances?: KubernetesObject[] } = {},
): Promise<Record<string, string>> {
  const kubernetes = {
    list: (path: string) =>
      Promise.resolve({ items: path.endsWith('/customresourcedefinitions') ? definitions : (options.instances ?? []) }),
  } as unknown as Clients['kubernetes'];
  const namespaces =
    options.namespaces === false ? [] : [{ ours: true, object: { metadata: { creationTimestamp: PLATFORM } } }];
  const survey = { namespaces, kinds: [], releases: new Set() } as unknown as Survey;
  const { targets, kept } = await definitionsToRemove(
    {
      kubernetes,
      catalog: await miniCatalog(),
      config: readConfig(),
      environment: await miniEnvironment(),
    },
    survey,
    new AbortController().signal,
  );
  return Object.fromEntries([
    ...targets.map(({ name }) => [name, 'goes']),
    ...kept.map(({ name, reason }) => [name, reason]),
  ]) as Record<string, string>;
}

describe('definitions that our charts brought along', () => {
  test('go when they are as young as the platform', async () => {
    assert.deepEqual(await decided([definition({ creationTimestamp: AFTER })]), { [OURS]: 'goes' });
  });

  test("stay when they are older than the platform, and others' are none of our business", async () => {
    assert.deepEqual(
      await decided([
        definition({ creationTimestamp: BEFORE }),
        definition({ creationTimestamp: AFTER }, 'carts.shop.example'),
      ]),
      { [OURS]: 'it was there before the platform' },
    );
  });

  test('stay while there are objects of them', async () => {
    const instances = [{ metadata: { name: 'mine', namespace: 'shop' } }] as KubernetesObject[];
    assert.deepEqual(await decided([definition({ creationTimestamp: AFTER })], { instances }), {
      [OURS]: 'objects of it are left: Thing shop/mine',
    });
  });

  test('without the platform nobody can tell, unless they are going already', async () => {
    assert.deepEqual(await decided([definition({ creationTimestamp: AFTER })], { namespaces: false }), {
      [OURS]: 'no namespace of the platform is left that tells whether it was there before',
    });
    assert.deepEqual(
      await decided([definition({ creationTimestamp: AFTER, deletionTimestamp: AFTER })], { namespaces: false }),
      { [OURS]: 'goes' },
    );
  });
});
