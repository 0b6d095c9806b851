/**
 * For how long something has been so. The machine's clock may be set while a process runs, by an hour or by a year, and
 * the engine's is another one: neither makes anything take longer.
 */

/** Milliseconds of the epoch as the clock stood when this process began, counted on from there. */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}
