/** Every program that an embedded environment runs, in no particular order. */
export type ToolName =
  | 'temporal'
  | 'helm'
  | 'kwokctl'
  | 'kwok'
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubectl'
  | 'kubelet'
  | 'kube-proxy'
  | 'coredns'
  | 'vault'
  | 'vault-plugin-auth-kubernetes';

/** Operating system and processor, in the words of Go and of most publishers. */
export type Platform = 'linux-amd64' | 'linux-arm64' | 'darwin-amd64' | 'darwin-arm64';

/** A program that is there and was checked. */
export interface InstalledTool {
  name: ToolName;
  /** Without a leading "v". */
  version: string;
  /** Absolute path of the executable. */
  path: string;
  /** Where this run got it from. `cache`: an earlier run put it there. */
  source: 'path' | 'cache' | 'release' | 'build';
  /** SHA-256 of the executable, lower-case hex. */
  sha256: string;
}

export type ToolStage = 'looking' | 'downloading' | 'verifying' | 'building' | 'waiting' | 'ready' | 'failed';

/** A progress event of a tool. */
export interface ToolProgress {
  tool: ToolName;
  /** The pinned version, or the found one when `ready`. */
  version: string;
  stage: ToolStage;
  /** Since the tools were asked for. */
  elapsedSeconds: number;
  /** Downloaded so far; only while `downloading`. */
  bytes?: number;
  /** Size announced by the server, if it did. */
  total?: number;
  /** Readable, one line: what is waited for, what is compiled, where it was found, why it failed. */
  detail?: string;
}

/** One way that was tried for one tool, and what it answered. */
export interface ToolAttempt {
  tool: ToolName;
  way: 'path' | 'cache' | 'release' | 'mirror' | 'build' | 'wait';
  outcome: string;
}

/** Variables of the environment, only those that the caller passes in. */
export type ToolEnvironment = Readonly<Record<string, string | undefined>>;
