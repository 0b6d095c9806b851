/** Rules by definition: `core.v1.PodSpec`. */
import { ACCESS_RULES } from './access.ts';
import { METADATA_RULES } from './metadata.ts';
import { NETWORK_RULES } from './network.ts';
import { POD_RULES } from './pods.ts';
import type { Rule } from './rule.ts';
import { STORAGE_RULES } from './storage.ts';
import { WORKLOAD_RULES } from './workloads.ts';

export { nameProblem } from './metadata.ts';
export const RULES: Readonly<Record<string, Rule>> = {
  ...ACCESS_RULES,
  ...METADATA_RULES,
  ...NETWORK_RULES,
  ...POD_RULES,
  ...STORAGE_RULES,
  ...WORKLOAD_RULES,
};
