/** What completion offers, for the real commands. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answer, type Names } from '../../../src/cli/completion/answer.ts';
import { treeOf } from '../../../src/cli/completion/tree.ts';
import { buildProgram } from '../../../src/cli/main.ts';
import { openTerminal } from '../../../src/cli/shared/terminal.ts';
import { readConfig } from '../../../src/config.ts';

const config = readConfig();
const context = {
  config,
  terminal: openTerminal(config),
  version: '',
  finish: () => undefined,
  outputLost: undefined,
  run: () => Promise.reject(new Error('none is run')),
};
const TREE = treeOf(buildProgram(context, () => undefined));
const plain = (...values: string[]) => values.map((value) => ({ value, description: '' }));
/** Each environment has services of its own. */
const NAMES: Names = {
  environments: () => plain('sandbox', 'staging', 'prod'),
  services: (environment) => Promise.resolve(plain('api', 'auth', `${environment}-only`)),
  phases: () => Promise.resolve(plain('1', '2', '14')),
  versions: () => plain('7', '6', '12'),
};
const ask = async (line: string): Promise<string[] | 'files'> => {
  const found = await answer(TREE, line.split(' '), NAMES, 'sandbox');
  return found === 'files' ? found : found.map(({ value }) => value);
};

const CASES: [line: string, offers: string[] | 'files'][] = [
  ['explai', ['explain']],
  ['drift res', ['reset', 'resume']],
  ['deploy --det', ['--detach']],
  ['deploy --env ', ['sandbox', 'staging', 'prod']],
  ['deploy --env st', ['staging']],
  ['deploy -e pr', ['prod']],
  ['deploy --env=st', ['staging']],
  // The line split into words as bash splits it.
  ['deploy --env = st', ['staging']],
  ['deploy --env =', ['sandbox', 'staging', 'prod']],
  ['deploy --only a', ['api', 'auth']],
  ['deploy --only api,a', ['api,auth']],
  ['deploy --env prod --only p', ['prod-only']],
  ['deploy --env = prod --follow p', ['prod-only']],
  ['deploy --image au', ['auth=']],
  ['deploy --image auth = 1', []],
  ['deploy --phase 1', ['1', '14']],
  ['deploy --if-running s', ['supersede']],
  ['deploy --plan ', 'files'],
  ['deploy --confirm ', []],
  ['deploy --json --env s', ['sandbox', 'staging']],
  ['explain au', ['auth']],
  ['explain api ', []],
  ['explain --env prod p', ['prod-only']],
  ['logs -f ap', ['api']],
  ['rollback --to 1', ['12']],
  ['history ', ['7', '6', '12']],
  ['report 6', ['6']],
  ['diff 7 1', ['12']],
  ['completion z', ['zsh']],
  ['env check sandbox st', ['staging']],
  ['charts unbundle ', 'files'],
  ['secrets get a', []],
  ['nothing of the kind ', []],
  ['deploy --nonsense st', []],
];

describe('the tab key', () => {
  for (const [line, offers] of CASES) test(`ananta ${line}⇥`, async () => assert.deepEqual(await ask(line), offers));

  test('every command, and on each its options and help', async () => {
    const commands = await ask('');
    assert.ok(commands.includes('deploy') && commands.includes('watch') && commands.includes('completion'));
    const options = await ask('attach -');
    assert.ok(
      ['--env', '--follow', '--json', '--help'].every((option) => options.includes(option)),
      String(options),
    );
  });
});
