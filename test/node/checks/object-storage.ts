/** Both object stores, by MinIO's own client, as root and as the user that applications get. */
import assert from 'node:assert/strict';
import type { Platform } from '../support/platform.ts';

/** The seed's buckets. */
const BUCKETS: Record<string, { namespace: string; buckets: string[] }> = {
  'app-plane-minio': {
    namespace: 'app-plane',
    buckets: ['avatars', 'bom-uploads', 'bulk-uploads', 'documents', 'enrichment-audit', 'exports'],
  },
  'control-plane-minio': {
    namespace: 'control-plane',
    buckets: ['arc-saas-assets', 'arc-saas-tenants', 'novu-storage'],
  },
};

export async function checkObjectStorage(platform: Platform): Promise<void> {
  for (const [store, { namespace, buckets }] of Object.entries(BUCKETS)) {
    const { rootUser, rootPassword, accessKey, secretKey } = await platform.secret(namespace, `storage/${store}`);
    const as =
      (user: string | undefined, password: string | undefined) =>
      (script: string): Promise<string> =>
        platform.exec(
          store,
          ['sh', '-ec', `read -r MC_HOST_s; export MC_HOST_s MC_CONFIG_DIR=/tmp/.mc-check; ${script}`],
          `http://${user ?? ''}:${password ?? ''}@127.0.0.1:9000\n`,
        );
    const root = as(rootUser, rootPassword);
    const listed = (await root('mc --json ls s'))
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { key: string }).key.replace('/', ''))
      .sort();
    assert.deepEqual(listed, buckets, store);

    const application = as(accessKey, secretKey);
    const first = buckets[0] ?? '';
    assert.match(
      await application(
        `echo content | mc pipe --quiet s/${first}/check > /dev/null; mc cat s/${first}/check; mc rm --quiet s/${first}/check > /dev/null`,
      ),
      /content/,
      `${store}: the application's user writes and reads`,
    );
    await assert.rejects(
      application('mc mb s/another-bucket'),
      /Access Denied|AccessDenied|not allowed/i,
      `${store}: the application's user makes no bucket`,
    );
    await assert.rejects(
      application('mc admin user list s'),
      /Access Denied|AccessDenied|not allowed/i,
      `${store}: the application's user is no administrator`,
    );
    await assert.rejects(
      as(accessKey, 'not-the-password')('mc ls s'),
      /signature|Access/i,
      `${store}: another password is refused`,
    );
  }
}
