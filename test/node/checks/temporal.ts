/** The platform's Temporal, by its own CLI, and what its UI shows. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { acquireTools } from '../../../bootstrap/tools/index.ts';
import { readConfig } from '../../../src/config.ts';
import type { Platform } from '../support/platform.ts';

const NAMESPACES = ['arc-saas', 'enrichment'];
const describedSchema = z.object({
  namespaceInfo: z.object({ name: z.string() }),
  config: z.object({ workflowExecutionRetentionTtl: z.string() }),
});

export async function checkTemporal(platform: Platform): Promise<void> {
  const config = readConfig();
  const { path } = await acquireTools({
    names: ['temporal'],
    cacheDir: config.cacheDir,
    mirror: config.toolsMirror,
    env: config.childEnv,
  }).get('temporal');
  const { address } = await platform.pod('temporal');
  const temporal = async (...args: string[]): Promise<string> =>
    (
      await promisify(execFile)(path, [...args, '--address', `${address}:7233`, '--output', 'json'], {
        env: { HOME: platform.sandbox.folder },
      })
    ).stdout;
  for (const namespace of NAMESPACES) {
    const { namespaceInfo, config: settings } = describedSchema.parse(
      JSON.parse(await temporal('operator', 'namespace', 'describe', '--namespace', namespace)),
    );
    assert.equal(namespaceInfo.name, namespace);
    assert.match(settings.workflowExecutionRetentionTtl, /^259200s$|^72h/, `${namespace}: three days`);
  }
  // A workflow that nobody works on: it goes through history and visibility, so through both databases.
  await temporal(
    'workflow',
    'start',
    '--namespace',
    'arc-saas',
    '--task-queue',
    'check',
    '--type',
    'check',
    '--workflow-id',
    'check',
  );
  await temporal(
    'workflow',
    'terminate',
    '--namespace',
    'arc-saas',
    '--workflow-id',
    'check',
    '--reason',
    'checked',
  ).catch(() => '');

  const shown = await (await fetch(`http://${platform.node}:31021/api/v1/namespaces`)).text();
  for (const namespace of NAMESPACES) assert.match(shown, new RegExp(`"${namespace}"`), 'the UI shows it');
}
