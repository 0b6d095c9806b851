/**
 * What is carried out in a container of a server. The command says no value: those come by standard input, a line each,
 * in the order of `reads`. Pure.
 */
import type { RotationAct } from '../../../contract/operations/secret-name.ts';

export type ServerAct = Exclude<RotationAct, 'write'>;

/** Values that a script may read. */
export interface RotationValues {
  admin: string;
  former: string;
  next: string;
  /** A password that is not valid: a server that accepts it does not check passwords. */
  wrong: string;
}

/** User names; none of them is secret. */
export interface RotationNames {
  /** The user's name in the catalog. */
  declared: string;
  former: string;
  next: string;
  /** Name of the administrator who makes the change; empty where no login is needed for it. */
  admin: string;
}

export interface RotationScript {
  command: string[];
  reads: (keyof RotationValues)[];
}

/** Exit code of a script whose failure a retry would not change. */
export const VERDICTS: Readonly<Record<number, string>> = {
  41: 'it does not take the new value',
  42: 'it still takes the former value',
  43: 'it takes any value at all, so nobody can say which of them are good',
  44: 'its container does not have the client that is needed for it',
  45: 'a value has a character that its client cannot be given',
  46: 'something else depends on the former one',
};

/** @param names of shell variables, in order: each line of standard input becomes one of them */
export function shell(names: readonly string[], body: string, args: readonly string[]): string[] {
  const reads = names.map((name) => `IFS= read -r ${name}`);
  return ['sh', '-euc', [...reads, body].join('\n'), 'rotate', ...args];
}
