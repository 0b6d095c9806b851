/** So many requests in a while, and no more: of each address, and of all. */
export interface RateLimit {
  /** @returns seconds until it may ask again; undefined: it may now */
  take(address: string): number | undefined;
}

export interface RateLimitOptions {
  /** In a window, of one address. */
  each: number;
  /** In a window, of all: behind a proxy all have the same address. */
  all: number;
  windowSeconds: number;
  now?: () => number;
}

const MOST_ADDRESSES = 10_000;

export function rateLimit({ each, all, windowSeconds, now = Date.now }: RateLimitOptions): RateLimit {
  let began = now();
  let total = 0;
  const counts = new Map<string, number>();
  return {
    take(address) {
      const passed = (now() - began) / 1000;
      if (passed >= windowSeconds || passed < 0 || counts.size > MOST_ADDRESSES) {
        began = now();
        total = 0;
        counts.clear();
      }
      const count = (counts.get(address) ?? 0) + 1;
      counts.set(address, count);
      total += 1;
      return count > each || total > all ? Math.max(1, Math.ceil(windowSeconds - (now() - began) / 1000)) : undefined;
    },
  };
}
