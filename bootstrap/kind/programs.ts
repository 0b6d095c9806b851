/** kind, and the container engine that it needs: found on the PATH, asked whether they answer, run without a shell. */
import { AnantaError, type NextStep } from '../../src/contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../src/contract/failures.ts';
import { execa } from 'execa';
import type { Config } from '../../src/config.ts';
import { findExecutables } from '../tools/onpath.ts';

/** In the order in which they are tried, unless KIND_EXPERIMENTAL_PROVIDER says otherwise. */
export const CONTAINER_ENGINES = ['docker', 'podman'] as const;
export type ContainerEngine = (typeof CONTAINER_ENGINES)[number];

export interface Programs {
  engine: ContainerEngine;
  /** @returns standard output @throws KindError with what it said */
  kind: (args: readonly string[], signal?: AbortSignal) => Promise<string>;
  container: (args: readonly string[], signal?: AbortSignal) => Promise<string>;
}

/** There is no kind, or no container engine that answers: nothing was touched. */
export class KindUnavailableError extends AnantaError {
  override name = 'KindUnavailableError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
  override readonly next: readonly NextStep[] = [
    'Start Docker or podman, install kind, and run the same command again.',
    { command: 'deploy', environment: 'sandbox', why: 'without them: a real control plane, simulated pods' },
    {
      command: 'deploy',
      environment: 'node',
      why: 'or, on Linux as root with containerd: real pods on one node of this machine',
    },
  ];
}

/** kind or the container engine was asked and failed. */
export class KindError extends AnantaError {
  override name = 'ComponentError';
  override readonly next: readonly NextStep[] = [{ command: 'doctor' }];
}

const ANSWERS_MILLISECONDS = 20_000;
const LONGEST_MILLISECONDS = 20 * 60_000;

/** @throws KindUnavailableError that says what was tried and what came back */
export async function findPrograms({ childEnv }: Pick<Config, 'childEnv'>): Promise<Programs> {
  const path = childEnv['PATH'];
  const [kind] = await findExecutables('kind', path);
  const asked = childEnv['KIND_EXPERIMENTAL_PROVIDER'];
  const tried: string[] = [];
  for (const engine of CONTAINER_ENGINES.filter((name) => asked === undefined || name === asked)) {
    const [program] = await findExecutables(engine, path);
    if (program === undefined) {
      tried.push(`${engine}: not on the PATH`);
      continue;
    }
    const answer = await execa(
      program,
      ['info', '--format', engine === 'docker' ? '{{.ServerVersion}}' : '{{.Version.Version}}'],
      {
        env: { ...childEnv },
        extendEnv: false,
        reject: false,
        stdin: 'ignore',
        timeout: ANSWERS_MILLISECONDS,
      },
    );
    if (answer.exitCode !== 0) {
      tried.push(
        `${engine}: ${answer.timedOut ? `no answer within ${ANSWERS_MILLISECONDS / 1000} s` : lastLine(answer.stderr)}`,
      );
      continue;
    }
    if (kind === undefined)
      throw new KindUnavailableError(
        `${engine} answers, but there is no program kind on the PATH. Install it: https://kind.sigs.k8s.io/docs/user/quick-start/#installation`,
      );
    const env = { ...childEnv, KIND_EXPERIMENTAL_PROVIDER: engine };
    return { engine, kind: runner(kind, env), container: runner(program, env) };
  }
  throw new KindUnavailableError(
    `A kind cluster needs a container engine, and none answers (${tried.join('; ')})${kind === undefined ? ', and there is no program kind on the PATH' : ''}.`,
  );
}

function runner(program: string, env: Readonly<Record<string, string>>): Programs['kind'] {
  return async (args, signal) => {
    const result = await execa(program, args, {
      env,
      extendEnv: false,
      reject: false,
      stdin: 'ignore',
      timeout: LONGEST_MILLISECONDS,
      ...(signal ? { cancelSignal: signal } : {}),
    });
    signal?.throwIfAborted();
    if (result.exitCode !== 0)
      throw new KindError(
        `${program} ${args.join(' ')}: ${result.timedOut ? 'no end in sight' : lastLines(result.stderr)}`,
      );
    return result.stdout;
  };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? 'no reason given';
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-5).join(' ') || 'it ended without a word';
}
