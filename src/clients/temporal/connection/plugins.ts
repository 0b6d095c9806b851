/** Plug-ins of the SDK that every client of this process gets: those of traces, where there are traces. */
import type { ClientPlugin } from '@temporalio/client';

let plugins: readonly ClientPlugin[] = [];

export function useClientPlugins(given: readonly ClientPlugin[]): void {
  plugins = given;
}

export function clientPlugins(): ClientPlugin[] {
  return [...plugins];
}
