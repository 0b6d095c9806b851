export interface DriftOptions {
  env: string;
  json?: true;
}

export interface DriftRunOptions extends DriftOptions {
  repair?: true;
  report?: true;
}

export interface ReasonOptions extends DriftOptions {
  reason?: string;
}
