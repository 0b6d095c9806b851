/**
 * Errors to text and exit code: what was attempted, on what, what came back, what to do next. Errors of ours say it
 * themselves (src/contract/errors.ts). Those of libraries are recognised by name, so that no library has to be loaded
 * for it.
 */
import { AnantaError, type NextStep } from '../../contract/errors.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import type { Attempt } from './context.ts';
import type { ExitCode } from './failure.ts';
import { commandLine } from './format.ts';
import type { Style } from './terminal.ts';

export interface Explanation {
  exitCode: ExitCode;
  /** What came back; may have several lines. */
  message: string;
  next: string[];
  lines: (style: Style) => string[];
}

type Explained = Pick<Explanation, 'exitCode' | 'message' | 'next'>;

const HEADLINES: Record<ExitCode, string> = {
  [EXIT_CODES.done]: 'done',
  [EXIT_CODES.failed]: 'failed',
  [EXIT_CODES.changes]: 'there are changes',
  [EXIT_CODES.refused]: 'refused, nothing was touched',
  [EXIT_CODES.detached]: 'detached, still running',
  [EXIT_CODES.cancelled]: 'cancelled',
};

/** Very long words, such as a mistyped file name, are shortened. */
const ENDLESS = /\S{1000,}/g;

export function explain(error: unknown, attempt: Attempt): Explanation {
  const found = explainAny(error, attempt);
  const explained = { ...found, message: found.message.replace(ENDLESS, (word) => `${word.slice(0, 80)}…`) };
  const lines = (style: Style): string[] => {
    if (explained.exitCode === EXIT_CODES.done) return [];
    const what = [attempt.command, ...(attempt.environment === undefined ? [] : ['--env', attempt.environment])].join(
      ' ',
    );
    const headline = `${what === '' ? 'ananta' : what}: ${HEADLINES[explained.exitCode]}`;
    return [
      style('bad', headline),
      ...explained.message.split('\n').map((line) => `  ${line}`),
      ...explained.next.map((line) => `${style('bold', 'Next:')} ${line}`),
    ];
  };
  return { ...explained, lines };
}

function explainAny(error: unknown, attempt: Attempt): Explained {
  if (error instanceof AnantaError)
    return {
      exitCode: error.exitCode,
      message: error.explain(),
      next: error.next.map((step) => nextLine(step, attempt)),
    };
  if (!(error instanceof Error)) return { exitCode: EXIT_CODES.failed, message: String(error), next: [] };
  const known = BY_NAME[error.name];
  if (known) return known(error, attempt);
  if ('code' in error && typeof error.code === 'string' && error.code.startsWith('commander.'))
    return explainUsage(error, attempt);
  if (isFileError(error))
    return {
      exitCode: EXIT_CODES.failed,
      message: `${error.path === undefined ? '' : `${error.path}: `}${FILE_WORDS[error.code] ?? error.code} (${error.syscall})`,
      next: [],
    };
  // An unexpected error: its stack trace is printed for a developer.
  return {
    exitCode: EXIT_CODES.failed,
    message: `Unexpected: ${error.stack ?? error.message}${causes(error)}`,
    next: [commandLine('doctor', ...environmentOf(attempt))],
  };
}

interface FileError {
  code: string;
  /** Absent where a file was written that was open already. */
  path?: string;
  syscall: string;
}

const FILE_WORDS: Record<string, string> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'this user may not read or write it',
  EPERM: 'this user may not change it',
  EROFS: 'it is on a file system that cannot be written',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
  EISDIR: 'it is a folder, not a file',
  ENOTDIR: 'a part of the path is a file, not a folder',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'a link leads back to itself',
};

/** An error of the file system is explained by its code and path, without a stack trace. */
function isFileError(error: Error): error is Error & FileError {
  return (
    'syscall' in error &&
    error.syscall !== 'connect' &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code in FILE_WORDS
  );
}

/** Of libraries. */
const BY_NAME: Record<string, (error: Error, attempt: Attempt) => Explained> = {
  CommanderError: explainUsage,
  InvalidArgumentError: explainUsage,
  ZodError: (error) => ({
    exitCode: EXIT_CODES.refused,
    message: `A file of the environment's state is damaged: ${error.message}`,
    next: [],
  }),
  ServiceError: explainEngine,
  // Several components at once; each has reported its own reason.
  AggregateError: (error, attempt) => ({
    exitCode: EXIT_CODES.failed,
    message: error.message,
    next: [commandLine('doctor', ...environmentOf(attempt))],
  }),
};

function nextLine(step: NextStep, attempt: Attempt): string {
  if (typeof step === 'string') return step;
  const environment = step.environment === undefined ? environmentOf(attempt) : ['--env', step.environment];
  const command = step.command === 'again' ? attempt.command : step.command;
  const line = commandLine(command, ...environment, ...(step.options ?? []));
  return step.why === undefined ? line : `${line}   (${step.why})`;
}

function explainUsage(error: Error, attempt: Attempt): Explained {
  const code = 'code' in error ? error.code : '';
  if (code === 'commander.help' || code === 'commander.helpDisplayed' || code === 'commander.version')
    return { exitCode: EXIT_CODES.done, message: '', next: [] };
  // What was typed, or pasted.
  const message = error.message
    .replace(/\S{200,}/g, (word) => `${word.slice(0, 120)}…`)
    .replace(/^error: /, '')
    .replace(/^./, (first) => first.toUpperCase());
  return {
    exitCode: EXIT_CODES.refused,
    message,
    next: [commandLine(attempt.command === '' ? '--help' : `${attempt.command} --help`)],
  };
}

function explainEngine(error: Error, attempt: Attempt): Explained {
  if (isDenied(error)) {
    return {
      exitCode: EXIT_CODES.refused,
      message: `The engine (Temporal) does not allow it: ${error.message}${causes(error)}`,
      next: [
        'The API key (engine.apiKeyFile) or the certificate needs the right to write in the namespace (engine.namespace).',
        commandLine('doctor', ...environmentOf(attempt)),
      ],
    };
  }
  return {
    exitCode: EXIT_CODES.failed,
    message: `The engine (Temporal) did not answer as expected: ${error.message}${causes(error)}`,
    next: [
      commandLine('doctor', ...environmentOf(attempt)),
      `${commandLine('up', ...environmentOf(attempt))}   (starts what is down)`,
    ],
  };
}

/** gRPC: 7 permission denied, 16 unauthenticated. */
function isDenied(error: Error): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if ('code' in at && (at.code === 7 || at.code === 16)) return true;
  return false;
}

function environmentOf(attempt: Attempt): string[] {
  return attempt.environment === undefined ? [] : ['--env', attempt.environment];
}

/** ` (because: …)` for the chain of causes that say something new. */
function causes(error: Error): string {
  const parts: string[] = [];
  for (let cause = error.cause; cause instanceof Error && parts.length < 4; cause = cause.cause) {
    if (!error.message.includes(cause.message)) parts.push(cause.message);
  }
  return parts.length === 0 ? '' : ` (because: ${parts.join('; ')})`;
}
