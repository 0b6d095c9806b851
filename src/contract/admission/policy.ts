/** What the rules of an environment say of a plan. */

export const POLICY_EFFECTS = ['deny', 'ask'] as const;

export interface PolicyViolation {
  /** `service database`, `image redis:7.4`, `step prune`, `plan`. */
  object: string;
  /** What the rule reads of it, with its value: `service.action = remove`. */
  fields: string[];
}

export interface PolicyVerdict {
  rule: string;
  /** `deny`: a plan that breaks it is refused; `ask`: it passes no gate by itself. */
  effect: (typeof POLICY_EFFECTS)[number];
  /** Empty: the plan keeps the rule. */
  violations: PolicyViolation[];
  /** What the rule is for. */
  message?: string;
  /** Why it could not be evaluated: it counts as broken then. */
  problem?: string;
}
