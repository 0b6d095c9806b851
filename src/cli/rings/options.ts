export interface RingsOptions {
  image?: Record<string, string>;
  confirm?: string[];
  /** File that `rings plan --out` wrote. */
  plan?: string;
  detach?: true;
  json?: true;
}

export interface RingsPlanOptions {
  image?: Record<string, string>;
  json?: true;
  out?: string;
}
