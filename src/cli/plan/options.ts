import type { SelectionOptions } from '../shared/selection-options.ts';

export interface PlanOptions extends SelectionOptions {
  env: string;
  operation?: 'deploy' | 'rollback' | 'repair' | 'destroy' | 'adopt' | 'rotate';
  /** Every step instead of what changes. */
  steps?: true;
  to?: number;
  pastNoReturn?: true;
  deleteData?: true;
  /** With a rotation: `PATH` or `PATH:KEY`. */
  secret?: string[];
  olderThan?: number;
  image?: Record<string, string>;
  out?: string;
  svg?: string;
  json?: true;
}
