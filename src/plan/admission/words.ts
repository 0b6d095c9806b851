/** Freezes in words. Pure. */
import type { FreezeState } from '../../contract/admission/freeze.ts';

/** `is frozen by weekend until Mon 2026-12-07 08:00 Europe/Berlin`. */
export function frozenText({ windows, opens }: Pick<FreezeState, 'windows' | 'opens'>): string {
  return `is frozen by ${windows.join(' and ')}${opens === undefined ? ', and no end of it can be seen' : ` until ${opens}`}`;
}
