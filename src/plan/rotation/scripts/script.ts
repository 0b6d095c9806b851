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
  /** Is good for nothing: a server that takes it does not look at passwords. */
  wrong: string;
}

/** What is no secret. */
export interface RotationNames {
  /** As the catalog declares it. */
  declared: string;
  former: string;
  next: string;
  /** Of whoever changes it; empty where nobody has to log in for that. */
  admin: string;
}

export interface RotationScript {
  command: string[];
  reads: (keyof RotationValues)[];
}

/** How a script ends that has found something which trying again does not change. */
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
