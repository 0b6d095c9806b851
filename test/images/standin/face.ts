import type { Report } from './check.ts';

export interface Face {
  report: () => Report;
  failing: () => string[];
}
