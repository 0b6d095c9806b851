/** The 14 phases: for people. What starts when follows from the dependencies alone. */
import type { CatalogInput } from './schema.ts';

export const PHASES: CatalogInput['phases'] = [
  { number: 1, title: 'Core Infrastructure' },
  { number: 2, title: 'Control Plane Databases' },
  { number: 3, title: 'Shared Services' },
  { number: 4, title: 'Authentication' },
  { number: 5, title: 'Novu Notification Stack' },
  { number: 6, title: 'Observability' },
  { number: 7, title: 'App Plane Databases' },
  { number: 8, title: 'App Plane Infrastructure' },
  { number: 9, title: 'Supabase Stack' },
  { number: 10, title: 'Content Management' },
  { number: 11, title: 'Control Plane Backend Services' },
  { number: 12, title: 'App Plane Backend Services' },
  { number: 13, title: 'Background Workers' },
  { number: 14, title: 'Frontend Applications' },
];
