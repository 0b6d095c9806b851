/**
 * A rehearsal from end to end. It needs no real node, but more processor time than the other tiers have for one thing.
 */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { readConfig } from '../../src/config.ts';
import { EXIT_CODES } from '../../src/contract/failures.ts';
import { certificateSchema } from '../../src/plan/rehearsal/certificate.ts';
import { shareCaches } from '../support/caches.ts';
import { commandInProcess } from '../support/programs/command.ts';
import { processesOf } from '../support/programs/processes.ts';

let folder: string;
let env: NodeJS.ProcessEnv;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-rehearse-'));
  await cp(readConfig().environmentsDir, join(folder, 'environments'), { recursive: true });
  // Somewhere that nobody reaches: nothing of it may be asked.
  const elsewhere = { cluster: { context: 'nowhere' }, engine: { address: '192.0.2.1:7233', namespace: 'x' } };
  const own = { domain: 'far.example', storage: { class: 'ssd' }, replicas: { default: 2 } };
  await writeFile(
    join(folder, 'environments', 'far.yaml'),
    stringify({ extends: '_base', description: 'Far away', platform: 'mini', charts: 'bundled', ...own, ...elsewhere }),
  );
  await shareCaches(join(folder, 'state'));
  env = {
    ...process.env,
    ANANTA_STATE_DIR: join(folder, 'state'),
    ANANTA_ENVIRONMENTS_DIR: join(folder, 'environments'),
    ANANTA_CACHE_DIR: readConfig().cacheDir,
    KUBECONFIG: join(folder, 'none'),
    NO_COLOR: '1',
  };
});
after(() => rm(folder, { recursive: true, force: true }));

/** Processes, and files of the throwaway cluster. */
async function left(): Promise<string[]> {
  const running = (await processesOf(join(folder, 'state', 'rehearsals'))).map(({ args }) => args.join(' '));
  const files = await readdir(join(folder, 'state', 'rehearsals', 'far')).catch(() => []);
  return [...running, ...files];
}

test('an environment whose cluster nobody reaches: a worker killed, the same state, a certificate, nothing left', async () => {
  const out = join(folder, 'certificate');
  const args = ['rehearse', '--env', 'far', '--faults', '1', '--seed', '3', '--out', out, '--json'];
  const { code, stdout, stderr } = await commandInProcess(readConfig(env), args);
  assert.ok(stdout !== '', stderr);
  const certificate = certificateSchema.parse(JSON.parse(stdout));
  assert.deepEqual(
    certificate.runs.map(({ outcome, differences, faults }) => ({
      outcome,
      differences,
      hit: faults.map(({ hit }) => hit !== undefined),
    })),
    [{ outcome: 'succeeded', differences: [], hit: [true] }],
    stderr,
  );
  assert.equal(code, EXIT_CODES.done);
  assert.ok(certificate.passed && certificate.undisturbed.objects > 300 && certificate.undisturbed.releases > 10);
  assert.deepEqual(certificate.plan.otherwise, []);
  assert.deepEqual(
    certificate.standIns.map(({ field }) => field),
    ['cluster', 'engine', 'suppliedSecrets'],
  );
  assert.deepEqual(JSON.parse(await readFile(`${out}.json`, 'utf8')), certificate);
  assert.match(await readFile(`${out}.html`, 'utf8'), /every run ended in the same state/);
  assert.deepEqual(await left(), []);
});

test('Ctrl-C puts everything down', async () => {
  const main = join(readConfig().repoRoot, 'src', 'cli', 'main.ts');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'rehearse', '--env', 'far'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let said = '';
  const began = new Promise<void>((resolve) => {
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString();
      if (said.includes('undisturbed')) resolve();
    });
  });
  await Promise.race([began, ended]);
  child.kill('SIGINT');
  assert.equal(await ended, EXIT_CODES.cancelled, said);
  assert.deepEqual(await left(), []);
});
