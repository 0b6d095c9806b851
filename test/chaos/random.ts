import { numbersFrom } from '../../src/plan/rehearsal/random.ts';

/** Numbers that follow from a seed alone, on every machine. */
export interface Random {
  /** From 0 up to 1. */
  next: () => number;
  pick: <T>(all: readonly T[]) => T;
  /** So many different members of `all`, in its order. */
  some: <T>(all: readonly T[], count: number) => T[];
  /** Whole numbers, both ends included. */
  between: (least: number, most: number) => number;
}

export function randomOf(seed: number): Random {
  const next = numbersFrom(Math.imul(seed, 0x9e3779b1));
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  const pick = <T>(all: readonly T[]): T => all[between(0, all.length - 1)] as T;
  return {
    next,
    between,
    pick,
    some: (all, count) => {
      const left = all.map((_, index) => index);
      const taken = Array.from({ length: Math.min(count, all.length) }, () =>
        left.splice(between(0, left.length - 1), 1),
      ).flat();
      return taken.sort((a, b) => a - b).map((index) => all[index] as (typeof all)[number]);
    },
  };
}
