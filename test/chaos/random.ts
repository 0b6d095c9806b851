/** Numbers that follow from a seed alone, on every machine. */
export interface Random {
  /** From 0 up to 1. */
  next: () => number;
  pick: <T>(all: readonly T[]) => T;
  /** Different ones, in the order of `all`. */
  some: <T>(all: readonly T[], count: number) => T[];
  /** Whole numbers, both ends included. */
  between: (least: number, most: number) => number;
}

/** Mulberry32, as it is widely published: 32 bits of state. */
export function randomOf(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
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
