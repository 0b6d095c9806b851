export interface ExportOptions {
  env: string;
  out: string;
}

export interface RehearseOptions {
  env: string;
  /** What every run begins with: `empty`, `live`, a version, a file of `export`, a commit, the folder of a checkout. */
  from: string;
  /** Faults in each disturbed run. */
  faults: number;
  seed: number;
  /** Disturbed runs. */
  runs: number;
  /** Deploys, rolls back, deploys again. */
  rollback?: true;
  image?: Record<string, string>;
  /** Where certificate and page are written, without an ending. */
  out?: string;
  json?: true;
  markdown?: true;
}
