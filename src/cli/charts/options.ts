export interface ChartsOptions {
  env: string;
  json?: true;
}

export interface BundleOptions extends ChartsOptions {
  out: string;
}

export interface PruneOptions {
  days: number;
  json?: true;
}
