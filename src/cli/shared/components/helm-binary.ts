/**
 * The pinned Helm: the one that the local stack of the environment has installed, or one that is installed now where
 * no local stack ever ran.
 */
import type { ToolProgress } from '../../../../bootstrap/tools/index.ts';
import type { Config } from '../../../config.ts';
import type { Connections } from '../../../environment/connections.ts';
import { commandLine } from '../format.ts';

/** @throws ToolsUnavailableError */
export async function helmBinary(
  connections: Connections,
  config: Config,
  onProgress: (event: ToolProgress) => void,
): Promise<string> {
  return connections.helm ?? acquireHelm(config, onProgress);
}

/** The same where no environment has to be up. @throws ToolsUnavailableError */
export async function acquireHelm(
  config: Config,
  onProgress: (event: ToolProgress) => void = () => undefined,
): Promise<string> {
  const { acquireTools } = await import('../../../../bootstrap/tools/index.ts');
  const tools = acquireTools({
    names: ['helm'],
    cacheDir: config.cacheDir,
    env: config.childEnv,
    onProgress,
    ...(config.toolsMirror === undefined ? {} : { mirror: config.toolsMirror }),
  });
  return (await tools.get('helm')).path;
}

/** Nothing is installed for the sake of a look. @returns undefined where Helm is not on this machine */
export async function installedHelm(config: Pick<Config, 'cacheDir' | 'childEnv'>): Promise<string | undefined> {
  const { findInstalledTools } = await import('../../../../bootstrap/tools/installed.ts');
  return (await findInstalledTools(config.cacheDir, config.childEnv, undefined, ['helm'])).get('helm')?.path;
}

/** Why charts of the environment were not rendered, where there is no Helm. */
export function noHelmNote(environment: string): string {
  return `charts were not rendered: Helm is not on this machine yet. ${commandLine('rbac', 'show', '--env', environment)} brings it`;
}
