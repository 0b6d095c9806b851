/**
 * The pinned Helm: the one that the local stack of the environment has installed, or one that is installed now where
 * no local stack ever ran.
 */
import type { ToolProgress } from '../../../bootstrap/tools/index.ts';
import type { Config } from '../../config.ts';
import type { Connections } from '../../environment/connections.ts';

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
  const { acquireTools } = await import('../../../bootstrap/tools/index.ts');
  const tools = acquireTools({
    names: ['helm'],
    cacheDir: config.cacheDir,
    env: config.childEnv,
    onProgress,
    ...(config.toolsMirror === undefined ? {} : { mirror: config.toolsMirror }),
  });
  return (await tools.get('helm')).path;
}
