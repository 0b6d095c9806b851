/** The embedded components as commands show them. */
import type { Config } from '../../../config.ts';
import type { Environment } from '../../../environment/schema.ts';
import { hasEmbeddedParts } from '../../deploy/embedded.ts';
import { table } from '../format.ts';
import type { Style } from '../terminal.ts';

export interface Component {
  name: string;
  version: string | null;
  pid: number | null;
  port: number | null;
  healthy: boolean;
  detail: string;
}

/** @returns nothing where all parts are external */
export async function componentsOf(environment: Environment, config: Config): Promise<Component[]> {
  if (!hasEmbeddedParts(environment)) return [];
  const { componentStates } = await import('../../../../bootstrap/index.ts');
  return componentStates(environment, config);
}

export function componentLines(components: readonly Component[], style: Style): string[] {
  return table(
    components.map(({ name, version, pid, port, healthy, detail }) => [
      `  ${healthy ? '✔' : '✘'} ${name}`,
      version || '-',
      pid === null ? 'no process' : `pid ${pid}`,
      port === null ? '-' : `port ${port}`,
      detail,
    ]),
  ).map((line, index) => style(components[index]?.healthy ? 'good' : 'bad', line));
}
