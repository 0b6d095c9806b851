/** What rings would do, as text and as a file that binds their deployment. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runRingsPlan } from '../../../src/cli/rings/plan.ts';
import { readRingsPlan, type RingsPlan, ringsPlanOf, writeRingsPlan } from '../../../src/cli/rings/plan-file.ts';
import { ringsPlanLines } from '../../../src/cli/rings/render.ts';
import type { CliContext } from '../../../src/cli/shared/context.ts';
import { plainStyle } from '../../../src/cli/shared/terminal.ts';
import { readConfig } from '../../../src/config.ts';
import { type RingsFile, ringsFileSchema } from '../../../src/environment/rings.ts';
import { externalEnvironment } from '../run-cli.ts';

const file: RingsFile = ringsFileSchema.parse({
  description: 'All',
  rings: [
    { name: 'canary', environments: ['east'] },
    { name: 'rest', environments: ['west', 'north'] },
  ],
});
const planOf = (environment: string): RingsPlan['plans'][number] => ({
  format: 'ananta-plan',
  version: 1,
  environment,
  clusterUid: 'uid',
  digest: '0123456789abcdef',
  imageTags: { api: '1.4.2' },
  steps: [],
  createdAt: '2026-11-30T12:00:00.000Z',
  requestedBy: 'ann@host',
});
const kept = ringsPlanOf('world', file, { api: '1.4.2' }, ['east', 'west', 'north'].map(planOf));

describe('a plan of rings in a file', () => {
  let folder: string;
  let path: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rings-plan-'));
    path = join(folder, 'rings.json');
  });
  after(() => rm(folder, { recursive: true }));

  test('is read as it was written', async () => {
    await writeRingsPlan(path, kept);
    assert.deepEqual(await readRingsPlan(path, 'world', file), kept);
  });

  const other = (more: object): string => JSON.stringify({ ...kept, ...more });
  const REFUSED: [name: string, text: string, says: RegExp][] = [
    ['no JSON', '{', /cannot be read/],
    ['a plan of one environment', JSON.stringify(planOf('east')), /is no plan of rings: format/],
    ['of another version', other({ version: 2 }), /is no plan of rings: version/],
    ['of other rings', other({ name: 'moon' }), /is of rings "moon", not of "world"/],
    [
      'of the rings as they were',
      other({ rings: [{ name: 'canary', environments: ['east', 'west', 'north'] }] }),
      /rings\/world\.yaml is another one than when .* was made: canary: east; rest: west, north\. Then: canary: east, west, north/,
    ],
    ['without an environment', other({ plans: [planOf('east'), planOf('north')] }), /holds no plan of "west"/],
  ];
  for (const [name, text, says] of REFUSED)
    test(`refused: ${name}`, async () => {
      await writeFile(path, text);
      await assert.rejects(readRingsPlan(path, 'world', file), says);
    });

  test('what cannot be deployed together is not planned either', async () => {
    const environmentsDir = join(folder, 'environments');
    await Promise.all([mkdir(environmentsDir), mkdir(join(folder, 'rings'))]);
    await writeFile(join(folder, 'rings', 'world.yaml'), JSON.stringify(file));
    for (const name of ['east', 'west', 'north'])
      await writeFile(join(environmentsDir, `${name}.yaml`), externalEnvironment({ engine: `${name}.example:7233` }));
    const context = { config: { ...readConfig(), environmentsDir } } as CliContext;
    await assert.rejects(runRingsPlan(context, 'world', {}), /different engines[^]*east: east\.example:7233 deployer/);
  });

  test('refused: a file that is not there', async () => {
    await assert.rejects(readRingsPlan(join(folder, 'nothing.json'), 'world', file), /cannot be read: ENOENT/);
  });
});

test('what each ring would do: environments with their plans, services that change', () => {
  const service = (name: string, action: 'upgrade' | 'skip') => ({
    number: 1,
    phase: 1,
    name,
    namespace: 'apps',
    dependsOn: [],
    action,
    reason: action === 'skip' ? 'as wanted' : 'another image',
    releases: [],
    expectedSeconds: 1,
    expectedFrom: 'declared' as const,
  });
  assert.deepEqual(
    ringsPlanLines(
      [
        {
          name: 'canary',
          soak: { seconds: 600, looks: 5 },
          onFailure: 'rollback',
          environments: [
            {
              environment: 'east',
              digest: '0123456789abcdef',
              changes: true,
              services: [service('api', 'upgrade'), service('web', 'skip')],
            },
          ],
        },
        {
          name: 'rest',
          soak: { seconds: 0, looks: 1 },
          onFailure: 'halt',
          environments: [{ environment: 'west', digest: 'fedcba9876543210', changes: false, services: [] }],
        },
      ],
      plainStyle,
    ).map((line) => line.replaceAll(/(?<=\S) +/g, ' ').trimEnd()),
    [
      'canary: soaks 10 min, looked at 5 times, on a failure is rolled back',
      '  east: plan 0123456789abcdef, 1 of 2 services',
      '    api upgrade another image',
      'rest: does not soak, on a failure halts',
      '  west: plan fedcba9876543210, nothing to do',
    ],
  );
});
