/** Fails on purpose: images with such a tag are for tests of failures. */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export const FAULTS = ['crash', 'hang', 'memory'] as const;
export type Fault = (typeof FAULTS)[number];

/** The last line before it ends: what evidence has to show. */
export const CRASH_LINE = 'panic: the stand-in was asked to crash';
const CHUNK = 16 * 1024 * 1024;
/** Where nobody enforces a limit, the machine has to survive. */
const MOST = 3 * 1024 * 1024 * 1024;

/** @returns only when memory was asked for and nobody stopped it */
export async function misbehave(fault: Fault, port: number, log: (line: string) => void): Promise<void> {
  switch (fault) {
    case 'crash':
      log('reading configuration');
      await sleep(500);
      log(CRASH_LINE);
      process.exit(1);
      break;
    case 'hang':
      log('it accepts connections and never answers');
      // Accepts connections and never answers.
      createServer(() => undefined).listen(port, '::');
      await new Promise(() => undefined);
      break;
    case 'memory': {
      log('it takes memory until somebody stops it');
      const taken: Buffer[] = [];
      while (taken.length * CHUNK < MOST) {
        taken.push(Buffer.alloc(CHUNK, 1));
        await sleep(20);
      }
      log(`nobody stopped it at ${MOST / 1024 / 1024} MiB`);
    }
  }
}
