export interface DriftOptions {
  env: string;
  json?: true;
}

export interface DriftRunOptions extends DriftOptions {
  confirm?: string;
  /** Why it goes on although the environment is frozen. */
  overrideFreeze?: string;
  plan?: string;
  repair?: true;
  report?: true;
}

export interface ReasonOptions extends DriftOptions {
  reason?: string;
}
