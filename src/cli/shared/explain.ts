/**
 * Errors to text and exit code: what was attempted, on what, what came back, what to do next. Errors of other folders
 * are told by their name, so that none of them has to be loaded for it.
 */
import { EXIT_CODES } from '../../contract/failures.ts';
import type { Attempt } from './context.ts';
import { CliError, type ExitCode } from './failure.ts';
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

export function explain(error: unknown, attempt: Attempt): Explanation {
  const explained = explainAny(error, attempt);
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
  if (error instanceof CliError) return { exitCode: error.exitCode, message: error.message, next: error.next };
  if (!(error instanceof Error)) return { exitCode: EXIT_CODES.failed, message: String(error), next: [] };
  const known = BY_NAME[error.name];
  if (known) return known(error, attempt);
  if ('code' in error && typeof error.code === 'string' && error.code.startsWith('commander.'))
    return explainUsage(error, attempt);
  if (isFileError(error))
    return {
      exitCode: EXIT_CODES.failed,
      message: `${error.path}: ${FILE_WORDS[error.code] ?? error.code} (${error.syscall})`,
      next: [],
    };
  // Nobody expected it: the stack is what a developer needs, and there is nothing better to say.
  return {
    exitCode: EXIT_CODES.failed,
    message: `Unexpected: ${error.stack ?? error.message}${causes(error)}`,
    next: [commandLine('doctor', ...environmentOf(attempt))],
  };
}

interface FileError {
  code: string;
  path: string;
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

/** Of a file that was named, or of a folder of ours: no mystery, and nothing for a developer. */
function isFileError(error: Error): error is Error & FileError {
  return (
    'path' in error &&
    'syscall' in error &&
    error.syscall !== 'connect' &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code in FILE_WORDS
  );
}

const BY_NAME: Record<string, (error: Error, attempt: Attempt) => Explained> = {
  CommanderError: explainUsage,
  InvalidArgumentError: explainUsage,
  ConfigurationError: (error) => ({ exitCode: EXIT_CODES.refused, message: error.message, next: [] }),
  ChartLockError: (error) => ({
    exitCode: EXIT_CODES.refused,
    message: error.message,
    next: ["Take the file from the repository's history, or write it anew: npm run ananta -- charts lock"],
  }),
  CatalogError: (error) => ({
    exitCode: EXIT_CODES.refused,
    message: error.message,
    next: ['Correct the fields named above, then run the same command again.'],
  }),
  SelectionError: (error) => ({
    exitCode: EXIT_CODES.refused,
    message: error.message,
    next: [`${commandLine('catalog')}   (all services and phases)`],
  }),
  OwnerMismatchError: (error) => ({ exitCode: EXIT_CODES.refused, message: error.message, next: [] }),
  ForeignReleaseError: (error) => ({ exitCode: EXIT_CODES.refused, message: error.message, next: [] }),
  DamagedRecordError: (error) => ({ exitCode: EXIT_CODES.refused, message: error.message, next: [] }),
  DependencyMissingError: (error) => ({ exitCode: EXIT_CODES.refused, message: error.message, next: [] }),
  PlanRefusedError: (error) => ({ exitCode: EXIT_CODES.refused, message: error.message, next: [] }),
  SecretFormatError: (error) => ({ exitCode: EXIT_CODES.failed, message: error.message, next: [] }),
  ChartRenderError: (error) => ({
    exitCode: EXIT_CODES.refused,
    message: error.message,
    next: ['Correct the chart, or helm/values/<release>.yaml, then run the same command again.'],
  }),
  NodePreflightError: (error) => ({ exitCode: EXIT_CODES.refused, message: error.message, next: ['docs/node.md'] }),
  SubnetTakenError: (error) => ({ exitCode: EXIT_CODES.refused, message: error.message, next: [] }),
  CacheFolderError: (error) => ({ exitCode: EXIT_CODES.refused, message: error.message, next: [] }),
  NotRunningError: (error) => ({ exitCode: EXIT_CODES.refused, message: error.message, next: [] }),
  ZodError: (error) => ({
    exitCode: EXIT_CODES.refused,
    message: `A file of the environment's state is damaged: ${error.message}`,
    next: [],
  }),
  ServiceError: explainEngine,
  EngineAccessError: (error) => ({
    exitCode: EXIT_CODES.refused,
    message: error.message,
    next: 'next' in error && Array.isArray(error.next) ? error.next.map(String) : [],
  }),
  DeploymentRunningError: (error, attempt) => ({
    exitCode: EXIT_CODES.refused,
    message: `${error.message}. It holds the lock of this environment and cluster.`,
    next: [
      `${commandLine('attach', ...environmentOf(attempt))}   (watches it)`,
      `${commandLine('deploy', ...environmentOf(attempt), '--if-running', 'queue')}   (waits for its end, then deploys)`,
    ],
  }),
  QueueWithdrawnError: (error, attempt) => ({
    exitCode: EXIT_CODES.cancelled,
    message: error.message,
    next: [commandLine('status', ...environmentOf(attempt))],
  }),
  DeploymentTerminatedError: (error, attempt) => ({
    exitCode: EXIT_CODES.failed,
    message: error.message,
    next: [commandLine('deploy', ...environmentOf(attempt))],
  }),
  ComponentError: (error, attempt) => ({
    exitCode: EXIT_CODES.failed,
    message: error.message,
    next: [commandLine('doctor', ...environmentOf(attempt))],
  }),
  // Several components at once; each has told its own reason.
  AggregateError: (error, attempt) => ({
    exitCode: EXIT_CODES.failed,
    message: error.message,
    next: [commandLine('doctor', ...environmentOf(attempt))],
  }),
  KindUnavailableError: (error) => ({
    exitCode: EXIT_CODES.refused,
    message: error.message,
    next: [
      'Start Docker or podman, install kind, and run the same command again.',
      `Without them: ${commandLine('deploy', '--env', 'sandbox')}   (a real control plane, simulated pods)`,
      `Or, on Linux as root with containerd: ${commandLine('deploy', '--env', 'node')}   (real pods on one node of this machine)`,
    ],
  }),
  ToolsUnavailableError: (error) => ({ exitCode: EXIT_CODES.failed, message: error.message, next: [] }),
  UnreachableError: (error, attempt) => ({
    exitCode: EXIT_CODES.failed,
    message: `The cluster does not answer: ${error.message}`,
    next: [commandLine('doctor', ...environmentOf(attempt))],
  }),
  ClusterLoginError: (error, attempt) => ({
    exitCode: EXIT_CODES.refused,
    message: error.message,
    next: [
      'Set what the plug-in asks for, or log in with its own command; then run the same command again.',
      commandLine('doctor', ...environmentOf(attempt)),
    ],
  }),
  UnexpectedAnswerError: (error, attempt) => ({
    exitCode: EXIT_CODES.failed,
    message: `${error.message}. Is a proxy in the way, or does the kubeconfig lead somewhere else?`,
    next: [commandLine('doctor', ...environmentOf(attempt))],
  }),
  VaultKeysMissingError: (error) => ({
    exitCode: EXIT_CODES.failed,
    message: error.message,
    next: ['docs/runbook.md: "The unseal keys are lost"'],
  }),
  VaultUnreachableError: (error, attempt) => ({
    exitCode: EXIT_CODES.failed,
    message: error.message,
    next: [commandLine('doctor', ...environmentOf(attempt))],
  }),
  VaultSealedError: (error, attempt) => ({
    exitCode: EXIT_CODES.failed,
    message: error.message,
    next: [commandLine('doctor', ...environmentOf(attempt))],
  }),
  VaultError: (error, attempt) => ({
    exitCode: EXIT_CODES.failed,
    message: error.message,
    next: [commandLine('status', ...environmentOf(attempt))],
  }),
  KvConflictError: (error) => ({
    exitCode: EXIT_CODES.failed,
    message: error.message,
    next: ['Run the same command again.'],
  }),
  Interrupted: (error, attempt) => ({
    exitCode: EXIT_CODES.cancelled,
    message: `Interrupted (${error.message}). What had been started on this machine keeps running; nothing else was begun.`,
    next: [`${commandLine(attempt.command, ...environmentOf(attempt))}   (goes on)`],
  }),
};

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
