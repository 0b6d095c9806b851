import { InvalidArgumentError } from 'commander';
import { reasonProblem } from '../../plan/admission/override.ts';

/** Why somebody decides something: kept with the decision. @throws InvalidArgumentError */
export function parseReason(text: string): string {
  const problem = reasonProblem(text);
  if (problem !== undefined) throw new InvalidArgumentError(`${problem}.`);
  return text.trim();
}

export const OVERRIDE_FREEZE: [flags: string, description: string] = [
  '--override-freeze <reason>',
  'go on although the environment is frozen; the reason is kept in the audit trail',
];
