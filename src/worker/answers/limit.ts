/** A limit on the number of requests in a time window: for each address, and for all addresses together. */
export interface RateLimit {
  /** @returns seconds until the address may ask again; undefined: the request is within the limit */
  take(address: string): number | undefined;
}

export interface RateLimitOptions {
  /** Most requests of one address in a window. */
  each: number;
  /** Most requests of all addresses in a window. Behind a proxy all of them have the same address. */
  all: number;
  windowSeconds: number;
  now?: () => number;
}

/**
 * Only requests within the limit count. So no more than `all` addresses are kept in memory, and an address that is
 * refused does not use up the share of the others.
 */
export function rateLimit({ each, all, windowSeconds, now = Date.now }: RateLimitOptions): RateLimit {
  let began = now();
  let total = 0;
  const counts = new Map<string, number>();
  return {
    take(address) {
      const passed = (now() - began) / 1000;
      if (passed >= windowSeconds || passed < 0) {
        began = now();
        total = 0;
        counts.clear();
      }
      const count = counts.get(address) ?? 0;
      if (count >= each || total >= all) return Math.max(1, Math.ceil(windowSeconds - (now() - began) / 1000));
      counts.set(address, count + 1);
      total += 1;
      return undefined;
    },
  };
}
