/** The fake cluster takes nothing that a real API server would refuse. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FakeParts, withFakeClients } from './clients.ts';
import { selectedBy } from './selector.ts';

describe('label selectors', () => {
  const labels = { app: 'web', 'app.kubernetes.io/instance': 'web', empty: '' };
  for (const [selector, holds] of [
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app=api', false],
    ['app!=api', true],
    ['app!=web', false],
    ['other!=web', true],
    ['app', true],
    ['other', false],
    ['!other', true],
    ['!app', false],
    ['empty=', true],
    ['app in (api, web)', true],
    ['app notin (api, web)', false],
    ['other notin (api)', true],
    ['app in (api),app.kubernetes.io/instance=web', false],
    ['app in (web),app.kubernetes.io/instance=web', true],
  ] as const)
    test(`${selector}: ${holds}`, () => {
      assert.equal(selectedBy(selector)(labels), holds);
    });

  for (const selector of ['app=web=api', 'app in web', 'a b', '=web', 'app=we b'])
    test(`${selector}: no selector`, () => {
      assert.throws(() => selectedBy(selector), { name: 'KubernetesError', status: 400 });
    });
});

describe('writes', () => {
  const PATH = '/api/v1/namespaces/ns/configmaps/one';
  const object = (metadata: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'one', namespace: 'ns', ...metadata },
  });
  const refused = (what: string, status: number, work: (parts: FakeParts) => Promise<unknown>): void => {
    test(what, () =>
      withFakeClients(async (parts) => {
        await parts.clients.kubernetes.apply(PATH, object());
        await assert.rejects(work(parts), { name: 'KubernetesError', status });
        assert.equal(parts.cluster.objects.get(PATH)?.metadata.resourceVersion, '1');
      }),
    );
  };

  for (const how of ['apply', 'dryRun'] as const) {
    const write = ({ clients }: FakeParts, what: object): Promise<unknown> =>
      clients.kubernetes[how](PATH, what, { manager: 'us' });
    refused(`${how} of another name`, 400, (parts) => write(parts, object({ name: 'two' })));
    refused(`${how} into another namespace`, 400, (parts) => write(parts, object({ namespace: 'theirs' })));
    refused(`${how} without a kind`, 400, (parts) => write(parts, { metadata: { name: 'one' } }));
    refused(`${how} of managed fields`, 400, (parts) => write(parts, object({ managedFields: [] })));
    refused(`${how} of another version`, 409, (parts) => write(parts, object({ resourceVersion: '7' })));
    refused(`${how} to another object of that name`, 409, (parts) => write(parts, object({ uid: 'before' })));
  }
  refused('what is there made again', 409, ({ clients }) =>
    clients.kubernetes.create('/api/v1/namespaces/ns/configmaps', object()),
  );
  refused('something new with a version', 400, ({ clients }) =>
    clients.kubernetes.create('/api/v1/namespaces/ns/configmaps', object({ name: 'two', resourceVersion: '1' })),
  );
  refused('another version replaced', 409, ({ clients }) =>
    clients.kubernetes.replace(PATH, object({ resourceVersion: '7' })),
  );
  refused('what is not there replaced', 404, ({ clients }) =>
    clients.kubernetes.replace(`${PATH}s`, object({ resourceVersion: '1' })),
  );
  refused('what is not there labelled', 404, ({ clients }) => clients.kubernetes.label(`${PATH}s`, { a: 'b' }));
  refused('another object removed', 409, ({ clients }) => clients.kubernetes.remove(PATH, { uid: 'before' }));

  test('each change is another version', () =>
    withFakeClients(async ({ clients: { kubernetes }, cluster }) => {
      await kubernetes.apply(PATH, object());
      await kubernetes.label(PATH, { a: 'b' });
      await kubernetes.replace(PATH, object({ resourceVersion: '2' }));
      assert.equal(cluster.objects.get(PATH)?.metadata.resourceVersion, '3');
    }));
});
