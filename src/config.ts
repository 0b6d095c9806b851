/** The only reader of the process environment. */
import { homedir, userInfo, hostname } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { directLoopback, type Proxies, proxiesOf } from './process/proxies.ts';

export interface Config {
  /** The checkout: where catalog, charts and environments are. */
  repoRoot: string;
  /** One folder per environment below it: ANANTA_STATE_DIR, default `.ananta` in the checkout. */
  stateRoot: string;
  /** Tools and build caches: ANANTA_CACHE_DIR, default `$XDG_CACHE_HOME/ananta-deploy` or `~/.cache/ananta-deploy`. */
  cacheDir: string;
  /** ANANTA_ENVIRONMENTS_DIR, default `environments` in the checkout. */
  environmentsDir: string;
  /** Base address of a mirror of the publishers' releases: ANANTA_TOOLS_MIRROR. */
  toolsMirror: string | undefined;
  /** Default kubeconfig for external clusters: KUBECONFIG (one file or several), else ~/.kube/config. */
  kubeconfig: string;
  /** `user@host`, for the audit trail. */
  requestedBy: string;
  /** PATH, HOME, proxies and the like, for child processes. */
  childEnv: Readonly<Record<string, string>>;
  /**
   * All that plug-ins of kubeconfigs may ask for, secrets among it: inherited by the worker and by Helm where they
   * start one, never written anywhere.
   */
  loginEnv: Readonly<Record<string, string>>;
  /** All of it, for a shell of the user's own. */
  userEnv: Readonly<Record<string, string>>;
  /** OpenTelemetry's own variables, OTEL_*: for this process and the worker that it starts; some hold tokens. */
  otel: Readonly<Record<string, string>>;
  /** W3C's context of whoever started this process, a pipeline perhaps: TRACEPARENT. */
  traceparent: string | undefined;
  /** Of the environment, for what is not on this machine. */
  proxies: Proxies;
  ci: boolean;
  /** NO_COLOR is set to anything. */
  noColor: boolean;
  /** TERM=dumb: a terminal that cannot move its cursor. */
  dumbTerminal: boolean;
  /** Set for a worker that runs as a pod of the target cluster: ANANTA_IN_CLUSTER=true. */
  pod?: PodConfig;
}

export interface PodConfig {
  /** Of the pod itself: ANANTA_POD_UID. */
  uid: string | undefined;
  /** Where the pod says how it is: ANANTA_HEALTH_PORT. */
  healthPort: number;
  /** Seconds that running activities get to end when the pod is asked to: ANANTA_GRACE_SECONDS. */
  graceSeconds: number;
  /** Folder with certificates and key of an engine outside the cluster: ANANTA_ENGINE_ACCESS_DIR. */
  engineAccessDir: string;
  /** Folder with the workflow code of versions that were installed before: ANANTA_WORKFLOWS_DIR. */
  workflowsDir: string;
}

const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'TZ',
  'TMPDIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GOPROXY',
  'GONOSUMDB',
  'GONOSUMCHECK',
  'GOSUMDB',
  'GOFLAGS',
  'GOPRIVATE',
  'GOTOOLCHAIN',
  'NODE_EXTRA_CA_CERTS',
  // Where a pod finds its API server, and where plug-ins of kubeconfigs look for who the user is; none of them holds a
  // secret.
  'KUBERNETES_SERVICE_HOST',
  'KUBERNETES_SERVICE_PORT',
  'AWS_PROFILE',
  'AWS_REGION',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'CLOUDSDK_CONFIG',
  'AZURE_CONFIG_DIR',
  // Where the container engine answers that kind uses.
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_CONFIG',
  'CONTAINER_HOST',
  'XDG_RUNTIME_DIR',
  'KIND_EXPERIMENTAL_PROVIDER',
];

/** Of a terminal, of npm or of Helm, or ours: no plug-in logs in by them, and they differ from shell to shell. */
const OF_THE_SHELL = new RegExp(
  `^(${[
    '_|PWD|OLDPWD|SHLVL|SHELL|TERM|TERM_.*|COLORTERM|COLUMNS|LINES|PS\\d|LS_COLORS|EDITOR|VISUAL|PAGER|HIST[A-Z_]+',
    'DISPLAY|WINDOWID|INVOCATION_ID|JOURNAL_STREAM|(SSH_(CLIENT|CONNECTION|TTY))|(TMUX|XDG_SESSION|VSCODE|WT|KITTY)(_.*)?',
    'TRACEPARENT|TRACESTATE|INIT_CWD|NODE|COLOR|NODE_(OPTIONS|COMPILE_CACHE|TEST_CONTEXT)|(npm|SWC|ANANTA|HELM)_.*',
    'KUBECONFIG|GO(GC|MEMLIMIT|MAXPROCS)',
  ].join('|')})$`,
);

/** Reads the process environment once. Paths are absolute in the result. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const repoRoot = dirname(dirname(fileURLToPath(import.meta.url)));
  const home = env['HOME'] ?? homedir();
  const childEnv: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = env[name];
    if (value !== undefined) childEnv[name] = value;
  }
  const direct = directLoopback(env);
  Object.assign(childEnv, direct);
  return {
    repoRoot,
    stateRoot: resolve(env['ANANTA_STATE_DIR'] ?? join(repoRoot, '.ananta')),
    cacheDir: resolve(env['ANANTA_CACHE_DIR'] ?? join(env['XDG_CACHE_HOME'] ?? join(home, '.cache'), 'ananta-deploy')),
    environmentsDir: resolve(env['ANANTA_ENVIRONMENTS_DIR'] ?? join(repoRoot, 'environments')),
    toolsMirror: env['ANANTA_TOOLS_MIRROR'],
    kubeconfig: kubeconfigOf(env['KUBECONFIG']) ?? join(home, '.kube', 'config'),
    requestedBy: `${userName(env)}@${hostname()}`,
    childEnv,
    loginEnv: Object.fromEntries(
      Object.entries({ ...env, ...direct }).flatMap(([name, value]) =>
        value === undefined || OF_THE_SHELL.test(name) ? [] : [[name, value]],
      ),
    ),
    userEnv: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
    otel: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) =>
        value !== undefined && name.startsWith('OTEL_') ? [[name, value]] : [],
      ),
    ),
    traceparent: env['TRACEPARENT'],
    proxies: proxiesOf(env),
    ci: env['CI'] === 'true',
    noColor: (env['NO_COLOR'] ?? '') !== '',
    dumbTerminal: env['TERM'] === 'dumb',
    ...(env['ANANTA_IN_CLUSTER'] === 'true' ? { pod: podConfig(env) } : {}),
  };
}

/**
 * Libraries look at the environment by themselves: gRPC asked a proxy for 127.0.0.1. For entries of programs, before
 * anything is connected.
 */
export function keepLoopbackDirect(): void {
  Object.assign(process.env, directLoopback(process.env));
}

/** As kubectl reads it: empty is unset, several files are one, relative ones begin where we are. */
function kubeconfigOf(value: string | undefined): string | undefined {
  const paths = (value ?? '').split(delimiter).filter((path) => path !== '');
  return paths.length === 0 ? undefined : paths.map((path) => resolve(path)).join(delimiter);
}

/** The folder of one environment's state: engine database, cluster, Vault, keys, logs, evidence. */
export function stateDir(config: Config, environment: string): string {
  return join(config.stateRoot, environment);
}

function podConfig(env: NodeJS.ProcessEnv): PodConfig {
  const number = (name: string, otherwise: number): number => {
    const value = Number(env[name] ?? otherwise);
    if (!Number.isInteger(value) || value < 0)
      throw new Error(`${name} has to be a whole number, and is "${env[name]}"`);
    return value;
  };
  return {
    uid: env['ANANTA_POD_UID'],
    healthPort: number('ANANTA_HEALTH_PORT', 18_081),
    graceSeconds: number('ANANTA_GRACE_SECONDS', 330),
    engineAccessDir: env['ANANTA_ENGINE_ACCESS_DIR'] ?? '/etc/ananta/engine',
    workflowsDir: env['ANANTA_WORKFLOWS_DIR'] ?? '/etc/ananta/workflows',
  };
}

function userName(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return env['USER'] ?? 'unknown';
  }
}
