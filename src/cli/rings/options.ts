export interface RingsOptions {
  image?: Record<string, string>;
  confirm?: string[];
  /** File that `rings plan --out` wrote. */
  plan?: string;
  /** Why the deployments go on in environments that are frozen. */
  overrideFreeze?: string;
  detach?: true;
  json?: true;
}

export interface RingsLookOptions {
  /** The first characters of a run's id; default: the newest. */
  run?: string;
  json?: true;
}

export interface RingsReportOptions extends RingsLookOptions {
  out?: string;
}

export interface RingsPlanOptions {
  image?: Record<string, string>;
  json?: true;
  out?: string;
}
