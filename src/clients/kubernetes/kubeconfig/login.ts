/**
 * Log-in by a plug-in of the kubeconfig (`users[].user.exec`), as kubectl does it: with the whole environment, with
 * KUBERNETES_EXEC_INFO, and again when the token has expired or was refused. The library's own way keeps a refused
 * token, waits for ever, and reports a failure by a stack trace. Likewise files with tokens, which it does not know.
 */
import { readFile } from 'node:fs/promises';
import { AnantaError, type NextStep } from '../../../contract/errors.ts';
import { EXIT_CODES, FAILURES, type FailureType } from '../../../contract/failures.ts';
import { execa } from 'execa';
import { z } from 'zod';
import { KubeconfigError } from '../errors.ts';

/** Under these names a kubeconfig carries its plug-in, or its file with a token, through the library. */
export const EXEC_LOGIN = 'exec-login';
export const FILE_LOGIN = 'file-login';

const pluginSchema = z.object({
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  apiVersion: z.string().default('client.authentication.k8s.io/v1'),
  installHint: z.string().nullish(),
  provideClusterInfo: z.boolean().nullish(),
});

const credentialSchema = z.object({
  kind: z.literal('ExecCredential'),
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
});
type Credential = z.infer<typeof credentialSchema>['status'];

/** The plug-in gave no log-in. What it said is in the message, what it gave never is. */
export class ClusterLoginError extends AnantaError {
  override name = 'ClusterLoginError';
  override readonly exitCode = EXIT_CODES.refused;
  override readonly next: readonly NextStep[] = [
    'Set what the plug-in asks for, or log in with its own command; then run the same command again.',
    { command: 'doctor' },
  ];
  override readonly type: FailureType;
  /** It had worked before: the log-in may come back by itself. */
  readonly hadWorked: boolean;

  constructor(message: string, hadWorked: boolean) {
    super(message);
    this.hadWorked = hadWorked;
    // Tokens are fetched over networks: what worked once may work again. What never did is for a person.
    this.type = hadWorked ? FAILURES.unreachable : FAILURES.invalidInput;
  }
}

interface User {
  name: string;
  authProvider?: { name: string; config?: Record<string, unknown> };
}

interface RequestOptions {
  headers?: Record<string, unknown>;
  cert?: unknown;
  key?: unknown;
}

/** What the library asks of a way to log in. */
export interface ExecLogin {
  isAuthProvider: (user: User | null | undefined) => boolean;
  applyAuthentication: (user: User, options: RequestOptions) => Promise<void>;
  /** The API server did not take it: the next request asks the plug-in again. */
  forget: () => void;
}

/** A token is asked for anew so long before it expires. */
const MARGIN_MS = 10_000;
const TIMEOUT_SECONDS = 60;

export function createExecLogin({ timeoutSeconds = TIMEOUT_SECONDS } = {}): ExecLogin {
  let known: { key: string; credential: Credential } | undefined;
  let asked: { key: string; answer: Promise<Credential> } | undefined;
  let hadWorked = false;

  const credentialOf = async (user: User): Promise<Credential> => {
    const key = JSON.stringify(user.authProvider?.config);
    if (known?.key === key && msLeft(known.credential) > MARGIN_MS) return known.credential;
    if (asked?.key !== key) asked = { key, answer: askPlugin(user, timeoutSeconds, hadWorked) };
    try {
      const credential = await asked.answer;
      hadWorked = true;
      known = { key, credential };
      return credential;
    } catch (error) {
      // Not expired yet: as long as it is taken, a plug-in that is away for a moment does no harm.
      if (known?.key === key && msLeft(known.credential) > 0) return known.credential;
      throw error;
    } finally {
      asked = undefined;
    }
  };

  return {
    isAuthProvider: (user) => [EXEC_LOGIN, FILE_LOGIN].includes(user?.authProvider?.name ?? ''),
    async applyAuthentication(user, options) {
      const { token, clientCertificateData, clientKeyData } =
        user.authProvider?.name === FILE_LOGIN ? await tokenOf(user) : await credentialOf(user);
      if (token !== undefined) options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
      if (clientCertificateData !== undefined) options.cert = clientCertificateData;
      if (clientKeyData !== undefined) options.key = clientKeyData;
    },
    forget: () => {
      known = undefined;
    },
  };
}

/** Read each time: whoever keeps the file exchanges the token in it. */
async function tokenOf({ name, authProvider }: User): Promise<Credential> {
  const path = String(authProvider?.config?.['path']);
  try {
    return { token: (await readFile(path, 'utf8')).trim() };
  } catch (error) {
    throw new KubeconfigError(
      `The token of user "${name}" cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function msLeft({ expirationTimestamp }: Credential): number {
  const until = expirationTimestamp === undefined ? NaN : Date.parse(expirationTimestamp);
  return Number.isNaN(until) ? Infinity : until - Date.now();
}

async function askPlugin(user: User, timeoutSeconds: number, hadWorked: boolean): Promise<Credential> {
  const { plugin: config, cluster, file } = user.authProvider?.config ?? {};
  const parsed = pluginSchema.safeParse(config);
  const where = `user "${user.name}" of the kubeconfig ${String(file)}`;
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new KubeconfigError(
      `The exec plug-in of ${where} is not described well: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    );
  }
  const plugin = parsed.data;
  const fail = (why: string): ClusterLoginError =>
    new ClusterLoginError(`No log-in to the cluster: the plug-in "${plugin.command}" of ${where} ${why}`, hadWorked);
  const info = {
    kind: 'ExecCredential',
    apiVersion: plugin.apiVersion,
    spec: { interactive: false, ...(plugin.provideClusterInfo === true ? { cluster } : {}) },
  };
  const ended = await execa(plugin.command, plugin.args ?? [], {
    env: {
      ...Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value])),
      KUBERNETES_EXEC_INFO: JSON.stringify(info),
    },
    reject: false,
    stdin: 'ignore',
    timeout: timeoutSeconds * 1000,
    killSignal: 'SIGKILL',
    maxBuffer: 1024 * 1024,
  });
  const words = wordsOf(ended.stderr);
  if (ended.timedOut) throw fail(`did not end within ${timeoutSeconds} s${words}`);
  if (ended.exitCode === undefined) {
    const { code } = ended;
    const hint = (plugin.installHint ?? '') === '' ? '' : `. ${plugin.installHint?.trim()}`;
    throw fail(
      code === 'ENOENT' || code === 'EACCES'
        ? `cannot be started: it is not there, or not on the PATH${hint}`
        : `was ended (${ended.signal ?? code ?? 'no reason given'})${words}`,
    );
  }
  if (ended.exitCode !== 0) throw fail(`ended with exit code ${ended.exitCode}${words}`);
  const credential = credentialSchema.safeParse(jsonOf(ended.stdout));
  if (!credential.success) throw fail(`gave no ExecCredential${words}`);
  const { status } = credential.data;
  if (status.token === undefined && status.clientCertificateData === undefined)
    throw fail(`gave neither a token nor a certificate${words}`);
  return status;
}

const SHOWN_LINES = 5;
const SHOWN_CHARACTERS = 600;

/** Its last lines on standard error, for people. Whatever looks like a credential is left out. */
function wordsOf(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.replace(/\p{Cc}/gu, ' ').trim())
    .filter((line) => line !== '');
  const text = lines.slice(-SHOWN_LINES).join('; ').slice(-SHOWN_CHARACTERS);
  const safe = text.replace(/\beyJ[\w.-]+|[A-Za-z0-9+=_-]{40,}/g, '…');
  return safe === '' ? ' and said nothing' : `: ${safe}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
