export interface ReportOptions {
  env: string;
  /** The first characters of a run's id. */
  run?: string;
  out?: string;
  json?: true;
}
