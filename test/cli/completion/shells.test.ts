/** The completion scripts in real shells: bash is on every machine, zsh and fish are tried where they are installed. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { SHELLS, type ShellName } from '../../../src/cli/completion/scripts.ts';
import { keep, readKept } from '../../../src/cli/completion/cache.ts';
import { readConfig } from '../../../src/config.ts';
import { externalEnvironment, type Workspace, workspace } from '../run-cli.ts';

const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;

describe('completion', () => {
  let at: Workspace;
  let env: NodeJS.ProcessEnv;
  const scripts = new Map<ShellName, string>();
  before(async () => {
    at = await workspace();
    await at.environment('shop', externalEnvironment({ more: 'platform: mini' }));
    await at.environment('shelf', externalEnvironment({ more: 'platform: wide\nplatformParameters: {services: 1}' }));
    env = {
      PATH: process.env['PATH'],
      HOME: at.folder,
      ANANTA_CACHE_DIR: join(at.folder, 'cache'),
      ANANTA_STATE_DIR: join(at.folder, 'state'),
      ANANTA_ENVIRONMENTS_DIR: at.folder,
    };
    for (const shell of SHELLS) scripts.set(shell, (await at.run(['completion', shell])).stdout);
  });
  after(() => at.remove());

  /** What bash has in COMPREPLY when the key is pressed after these words. */
  function bash(words: string[]): string[] {
    const typed = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    const program = `${scripts.get('bash') ?? ''}
compopt() { :; }
COMP_WORDS=(ananta ${typed}); COMP_CWORD=${words.length}
_ananta_complete
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const text = execFileSync('bash', ['--noprofile', '--norc', '-c', program], { env, encoding: 'utf8' });
    return text.split('\n').filter((line) => line !== '');
  }

  test('bash: commands, options, environments, and services of the environment on the line', () => {
    assert.deepEqual(bash(['expl']), ['explain']);
    assert.deepEqual(bash(['deploy', '--env', 'sh']).sort(), ['shelf', 'shop']);
    assert.deepEqual(bash(['deploy', '--env', '=', 'sho']), ['shop']);
    assert.deepEqual(bash(['explain', '--env', 'shop', 'we']), ['web']);
    assert.deepEqual(bash(['deploy', '--env', 'shop', '--image', 'we']), ['web=']);
    assert.deepEqual(bash(['deploy', '--env', 'nowhere', '--only', '']), []);
  });

  test('what was typed is never carried out', () => {
    const trap = join(at.folder, 'trap');
    bash(['deploy', '--env', `$(touch ${trap})`, '']);
    bash(['deploy', '--env', `'; touch ${trap}; '`, '`touch ${trap}`']);
    assert.equal(existsSync(trap), false);
  });

  test('a key that is pressed again is answered from what is kept: two tenths of a second, Node included', () => {
    const ask = (): number => processorSeconds(['explain', '--env', 'shop', 'we']);
    ask();
    // Processor time: a machine under load makes everybody wait.
    const seconds = Math.min(ask(), ask(), ask());
    assert.ok(seconds < 0.2, `${seconds} s`);
  });

  function processorSeconds(words: string[]): number {
    const complete = join(readConfig().repoRoot, 'src', 'cli', 'completion', 'complete.ts');
    const line = `TIMEFORMAT='%U %S'; time "$@" >/dev/null 2>&1`;
    const { stderr } = spawnSync(
      'bash',
      ['-c', line, 'bash', process.execPath, '--disable-warning=ExperimentalWarning', complete, ...words],
      { env: { ...env, NODE_COMPILE_CACHE: join(at.folder, 'compiled') }, encoding: 'utf8' },
    );
    const [user = NaN, system = NaN] = stderr.trim().split(' ').map(Number);
    return user + system;
  }

  test('a file that is added is offered at once, a platform that is changed, too', async () => {
    await at.environment('shore', externalEnvironment({ more: 'platform: mini' }));
    assert.deepEqual(bash(['deploy', '--env', 'shor']), ['shore']);
    assert.deepEqual(bash(['explain', '--env', 'shelf', 'schem']), []);
    await at.environment('shelf', externalEnvironment({ more: 'platform: mini' }));
    assert.deepEqual(bash(['explain', '--env', 'shelf', 'schem']), ['schema']);
  });

  test('versions are those that were read last; the cluster is asked beside', async () => {
    const config = readConfig(env);
    const versions = [{ value: '12', description: 'deploy, 2026-01-05 12:00' }];
    keep(config, 'versions-shop', { versions, readAt: 0 });
    assert.deepEqual(bash(['rollback', '--env', 'shop', '--to', '']), ['12']);
    // The cluster does not answer at this address: names that were cached stay.
    const readAt = (): number => (readKept(config, 'versions-shop') as { readAt: number }).readAt;
    for (let waited = 0; readAt() === 0 && waited < 60_000; waited += 50) await sleep(50);
    assert.notEqual(readAt(), 0);
    assert.deepEqual(bash(['rollback', '--env', 'shop', '--to', '']), ['12']);
  });

  test('where there is no command ananta, there is one', () => {
    const call = (before: string): string =>
      execFileSync(
        'bash',
        ['--noprofile', '--norc', '-c', `${before}\n${scripts.get('bash') ?? ''}\ntype -t ananta; declare -f ananta`],
        { env, encoding: 'utf8' },
      );
    assert.match(call(''), /^function\n[^]*launcher\.mjs "\$@"/);
    assert.doesNotMatch(call('ananta() { echo own; }'), /launcher/);
  });

  for (const [shell, options] of [
    ['bash', ['-n']],
    ['zsh', ['-n']],
    ['fish', ['--no-execute']],
  ] as const)
    test(`${shell}: the script is well formed`, { skip: !has(shell) && `there is no ${shell}` }, () => {
      const check = (script: string): string[] => {
        // fish reads no socket, which standard input is here.
        const file = join(at.folder, `script.${shell}`);
        writeFileSync(file, script);
        const { status, stderr } = spawnSync(shell, [...options, file], { encoding: 'utf8' });
        return status === 0 ? [] : [stderr];
      };
      assert.deepEqual(check(scripts.get(shell) ?? ''), []);
      assert.notDeepEqual(check(`${scripts.get(shell) ?? ''}\nbegin )( end\n`), [], 'what is not well formed is told');
    });

  test('fish: offers values with what they are', { skip: !has('fish') && 'there is no fish' }, () => {
    const program = `${scripts.get('fish') ?? ''}\ncomplete -C 'ananta explain --env shop we'`;
    const text = execFileSync('fish', ['--no-config', '-c', program], { env, encoding: 'utf8' });
    assert.match(text, /^web\tphase 4$/m);
  });

  test('zsh: the function is there and asks', { skip: !has('zsh') && 'there is no zsh' }, () => {
    const program = `autoload -U compinit; compinit -D; _describe() { print -l -- \${(P)2} }
${scripts.get('zsh') ?? ''}
words=(ananta explain --env shop we); CURRENT=5; _ananta_complete`;
    const text = execFileSync('zsh', ['-f', '-c', program], { env, encoding: 'utf8' });
    assert.match(text, /^web:phase 4$/m);
  });

  test('another shell is refused', async () => {
    const { code, stderr } = await at.run(['completion', 'tcsh']);
    assert.equal(code, 3);
    assert.match(stderr, /Allowed choices are bash, zsh, fish/);
  });
});
