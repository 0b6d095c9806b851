export interface DriftOptions {
  env: string;
  json?: true;
}

export interface DriftRunOptions extends DriftOptions {
  confirm?: string;
  plan?: string;
  repair?: true;
  report?: true;
}

export interface ReasonOptions extends DriftOptions {
  reason?: string;
}
