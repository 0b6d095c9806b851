/** What a worker that is started in the background gets of the variables of whoever starts it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layoutOf } from '../../../bootstrap/layout.ts';
import { workerComponent } from '../../../bootstrap/worker/index.ts';
import { readConfig } from '../../../src/config.ts';
import { backupSchema, checkpointsSchema } from '../../../src/environment/fields/backup/backup.ts';
import { notifySchema } from '../../../src/environment/fields/notify.ts';

const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
const bucket = (accessKey: string): object => ({
  bucket: 'ananta',
  credentials: { accessKey: { env: accessKey }, secretKey: { file: '/keys/secret' } },
});

test('those that its environment names, for whatever they are, and no others', async () => {
  const config = readConfig({ HOME: '/home/x', BACKUP_KEY: 'a', CHECKPOINT_KEY: 'b', CHAT: 'https://c', OTHER: 'd' });
  const { spec } = await workerComponent(
    layoutOf(config, 'staging'),
    config,
    {},
    {
      version: '1',
      settings: '',
      logsInByPlugin: false,
      environment: {
        notify: notifySchema.parse({ targets: { ops: { url: { env: 'CHAT' } } } }),
        backup: backupSchema.parse({ recipients: [RECIPIENT], to: bucket('BACKUP_KEY') }),
        checkpoints: checkpointsSchema.parse({ to: bucket('CHECKPOINT_KEY') }),
      },
    },
  );
  const { BACKUP_KEY, CHECKPOINT_KEY, CHAT, OTHER } = spec.env;
  assert.deepEqual([BACKUP_KEY, CHECKPOINT_KEY, CHAT, OTHER], ['a', 'b', 'https://c', undefined]);
});
