export interface RehearseOptions {
  env: string;
  /** `empty`, a commit of the checkout, or the folder of another one: what every run begins with. */
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
