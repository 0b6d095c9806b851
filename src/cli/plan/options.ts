import type { SelectionOptions } from '../shared/selection-options.ts';

export interface PlanOptions extends SelectionOptions {
  env: string;
  image?: Record<string, string>;
  out?: string;
  svg?: string;
  json?: true;
}
