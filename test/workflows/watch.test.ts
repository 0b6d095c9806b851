/** The full-screen view in a pseudo-terminal, on a real engine: what a person sees and presses. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { heartbeat } from '@temporalio/activity';
import { setTimeout as sleep } from 'node:timers/promises';
import { followDeployment, startOrAttach } from '../../src/clients/temporal/index.ts';
import { readConfig } from '../../src/config.ts';
import { ENGINE_NAMESPACE } from '../../src/contract/names.ts';
import { externalEnvironment, kubeconfigFor, startFakeApi, type Workspace, workspace } from '../cli/run-cli.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';
import { planOf, recordingActivities } from '../support/plans.ts';
import { KEYS, openPty, type Pty } from '../support/programs/pty.ts';

/** The names are those of the small platform. */
const PLAN = planOf({
  database: { phase: 2 },
  api: { phase: 4, dependsOn: ['database'] },
  web: { phase: 4, dependsOn: ['api'] },
});

// Elsewhere `script` has other options.
const skip = process.platform !== 'linux';

describe('watch, on a terminal of 80 × 24', { skip }, () => {
  let engine: TestEngine;
  let at: Workspace;
  let api: Awaited<ReturnType<typeof startFakeApi>>;
  let open: (columns?: number, rows?: number, more?: Record<string, string>) => Pty;
  before(async () => {
    [engine, at, api] = await Promise.all([startTestEngine(), workspace(), startFakeApi()]);
    const kubeconfig = join(at.folder, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigFor(api.address));
    await at.environment(
      'test',
      externalEnvironment({ kubeconfig, engine: engine.address, namespace: ENGINE_NAMESPACE, more: 'platform: mini' }),
    );
    const env = {
      PATH: process.env['PATH'],
      HOME: at.folder,
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      ANANTA_STATE_DIR: join(at.folder, 'state'),
      ANANTA_ENVIRONMENTS_DIR: at.folder,
    };
    const main = join(readConfig().repoRoot, 'src', 'cli', 'main.ts');
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', main, 'watch', '--env', 'test'];
    open = (columns = 80, rows = 24, more = {}) => openPty(command, { columns, rows, env: { ...env, ...more } });
  });
  after(async () => {
    api.close();
    await Promise.all([engine.close(), at.remove()]);
  });

  test('environments, a running operation, a service; resized, filtered, and the terminal as it was', async () => {
    let waits = true;
    const { activities } = recordingActivities(PLAN, {
      awaitHealthy: async ({ step }) => {
        while (waits && step.name === 'api') {
          heartbeat({ spentSeconds: 1, status: '0/1', release: step.name, cause: 'exceeded quota' });
          await sleep(100);
        }
        return { seconds: 0, proof: '' };
      },
    });
    const input = { environment: 'test', imageTags: {}, clusterUid: '11111111-2222', requestedBy: 'tester@host' };
    await engine.withWorker(activities, async () => {
      const run = await startOrAttach(engine.client, 'deploy', input, 'refuse');
      const pty = open();
      try {
        await pty.shows(/1 environment, 1 at work/);
        assert.match(pty.screen()[3] ?? '', /^› ▸ test +deploy +running +\d+:\d\d {2}tester@host$/);
        assert.ok(pty.alternate(), 'its own screen');
        assert.ok(pty.cursorHidden());
        // The chosen row can be recognized without colours, too.
        const row = pty.cells()[3] ?? [];
        assert.ok(row[0]?.text === '›' && row[0].inverse && row[4]?.inverse);

        pty.type(KEYS.enter);
        await pty.shows(/1 operation\n/);
        pty.type(KEYS.enter);
        await pty.shows(/deploy: 1\/3 done, 1 at work, 1 waiting {3}\d+:\d\d/);
        await pty.shows(/✔ database +healthy[^]*▸ api +starting[^]*· web +waiting +for api/);
        const good = pty.cells().find((cells) => cells[4]?.text === '✔');
        assert.equal(good?.[4]?.colour, 12, 'bright blue');

        // Where the terminal changes its size, everything is there again, and nothing wraps.
        pty.resize(100, 12);
        await pty.shows(/─{99}\n/);
        assert.match(pty.screen()[10] ?? '', /q quits$/);
        pty.resize(80, 24);
        await pty.shows(/─{79}\n/);
        await pty.shows(/web +waiting[^]*\n\n[^]*q quits/);

        pty.type('/web');
        await pty.shows(/\/web█/);
        assert.doesNotMatch(pty.screen().join('\n'), /database/);
        pty.type(KEYS.enter);
        await pty.shows(/filter \(web\)/);
        pty.type(KEYS.esc);
        await pty.shows(/database/);

        // The operation goes on while one looks.
        waits = false;
        await followDeployment(engine.client, run, { onEvent: () => undefined });
        await pty.shows(/deploy succeeded after \d+:\d\d: 3\/3 done/);

        pty.type(KEYS.down);
        pty.type(KEYS.enter);
        await pty.shows(/\[explain\] {2}logs {3}events/);
        await pty.shows(/✘ api \(apps, test\) is not healthy/);
        pty.type(KEYS.right);
        await pty.shows(/\[logs\]/);
        for (const screen of [/✔ api +healthy/, /1 operation\n/, /1 environment, nothing runs/]) {
          pty.type(KEYS.esc);
          await pty.shows(screen);
        }
        assert.equal(pty.clears(), 0, 'it never clears all and draws anew, which would flicker');
        pty.type('q');
        assert.equal(await pty.done, 0);
        assert.deepEqual([pty.alternate(), pty.cursorHidden()], [false, false]);
      } finally {
        waits = false;
        pty.kill('SIGKILL');
      }
    });
  });

  test('asked to end, it leaves the terminal as it was; with NO_COLOR nothing has a colour', async () => {
    const pty = open(80, 24, { NO_COLOR: '1' });
    await pty.shows(/environment/);
    await pty.shows(/q quits/);
    assert.ok(
      pty
        .cells()
        .flat()
        .every(({ colour }) => colour === undefined),
    );
    pty.kill('SIGTERM');
    assert.equal(await pty.done, 5);
    assert.deepEqual([pty.alternate(), pty.cursorHidden()], [false, false]);
  });

  test('Ctrl-C ends it, too', async () => {
    const pty = open(40, 8);
    await pty.shows(/q quits|esc back/);
    pty.type('\u0003');
    assert.equal(await pty.done, 0);
    assert.deepEqual([pty.alternate(), pty.cursorHidden()], [false, false]);
  });

  test('without a terminal it says what there is instead', async () => {
    const { code, stderr } = await at.run(['watch', '--env', 'test']);
    assert.equal(code, 3);
    assert.match(stderr, /needs a terminal[^]*status --env test[^]*attach --env test --json/);
  });
});
