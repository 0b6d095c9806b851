/** Pipelines in the docs: their shell runs as it is written, with stand-ins for the programs that talk to servers. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { readConfig } from '../../src/config.ts';

const run = promisify(execFile);
const PAGE = join(readConfig().repoRoot, 'docs', 'do', 'rehearse-in-ci.md');

interface Step {
  run?: string;
  if?: string;
  env?: Record<string, string>;
}
interface GitHub {
  jobs: { rehearse: { steps: Step[] } };
}
interface GitLab {
  rehearse: { script: string[]; after_script: string[]; artifacts: { paths: string[] } };
}

const blocks = [...(await readFile(PAGE, 'utf8')).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
  ([, text = '']) => parse(text) as unknown,
);
const github = blocks[0] as GitHub;
const gitlab = blocks[1] as GitLab;

/** Prints its arguments, one a line; npm also prints what `rehearse` prints. */
const PROGRAM = `#!/usr/bin/env bash
printf '%s' "$(basename "$0")" >>"$CALLS"
printf ' [%s]' "$@" >>"$CALLS"
echo >>"$CALLS"
case "$*" in *rehearse*) echo '### Rehearsal'; echo '{}' >certificate.json; echo '<html>' >certificate.html; exit "\${REHEARSED:-0}" ;; esac
`;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-pipeline-'));
  for (const name of ['npm', 'gh', 'curl']) {
    await writeFile(join(folder, name), PROGRAM);
    await chmod(join(folder, name), 0o755);
  }
});
after(() => rm(folder, { recursive: true, force: true }));

/** Expressions that GitHub replaces before the shell runs. */
const filledIn = (text: string): string =>
  text.replaceAll('${{ github.base_ref }}', 'main').replaceAll('${{ github.event.number }}', '7');

async function shell(script: string, env: Record<string, string> = {}): Promise<{ code: number; calls: string[] }> {
  const work = await mkdtemp(join(folder, 'work-'));
  return shellIn(work, script, env);
}

async function shellIn(
  cwd: string,
  script: string,
  env: Record<string, string>,
): Promise<{ code: number; calls: string[]; cwd: string }> {
  const calls = join(cwd, 'calls');
  await writeFile(calls, '');
  const variables = { PATH: `${folder}:${readConfig().childEnv['PATH'] ?? ''}`, CALLS: calls, ...env };
  // As both of them start a shell: the first command that fails ends it.
  const code = await run('bash', ['-eo', 'pipefail', '-c', script], { cwd, env: variables }).then(
    () => 0,
    (error: unknown) => (error as { code: number }).code,
  );
  return { code, calls: (await readFile(calls, 'utf8')).trimEnd().split('\n'), cwd };
}

const REHEARSE =
  'npm [run] [--silent] [ananta] [--] [rehearse] [--env] [staging] [--from] [origin/main] [--runs] [2] [--faults] [3] [--out] [certificate] [--markdown]';

describe('rehearsing pull requests', () => {
  test('on GitHub: certificate and comment, red when it has not passed, and the comment all the same', async () => {
    const { steps } = github.jobs.rehearse;
    const rehearse = steps.find((step) => step.run?.includes('rehearse')) ?? assert.fail();
    const comment = steps.find((step) => step.run?.includes('gh pr comment')) ?? assert.fail();
    const BASE = filledIn(rehearse.env?.['BASE'] ?? '');
    for (const [REHEARSED, code] of [
      ['0', 0],
      ['1', 1],
    ] as const) {
      const work = await mkdtemp(join(folder, 'github-'));
      const first = await shellIn(work, rehearse.run ?? '', { BASE, REHEARSED });
      assert.deepEqual([first.code, first.calls], [code, [REHEARSE]]);
      assert.equal(await readFile(join(work, 'comment.md'), 'utf8'), '### Rehearsal\n');
      const second = await shellIn(work, filledIn(comment.run ?? ''), {});
      assert.deepEqual(second.calls, [
        'gh [pr] [comment] [7] [--edit-last] [--create-if-none] [--body-file] [comment.md]',
      ]);
    }
    // Not skipped after a step that failed.
    assert.match(comment.if ?? '', /!cancelled\(\)/);
  });

  test('on GitLab: the same, in script and after_script', async () => {
    const { script, after_script: afterwards, artifacts } = gitlab.rehearse;
    const variables = { CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main', REHEARSED: '1' };
    const work = await mkdtemp(join(folder, 'gitlab-'));
    const first = await shellIn(work, script.join('\n'), variables);
    assert.deepEqual([first.code, first.calls], [1, ['npm [ci]', REHEARSE]]);
    for (const file of artifacts.paths) assert.notEqual(await readFile(join(work, file), 'utf8'), '');
    const project = { CI_API_V4_URL: 'https://x/api/v4', CI_PROJECT_ID: '3', CI_MERGE_REQUEST_IID: '7' };
    const second = await shellIn(work, afterwards.join('\n'), { ...project, COMMENT_TOKEN: 'token' });
    assert.equal(second.code, 0);
    assert.match(
      second.calls.join(),
      /\[body@comment\.md\] \[https:\/\/x\/api\/v4\/projects\/3\/merge_requests\/7\/notes\]$/,
    );
    // Nothing is posted when the run failed before.
    const nothing = await shell(afterwards.join('\n'), project);
    assert.deepEqual([nothing.code, nothing.calls], [0, ['']]);
  });
});
