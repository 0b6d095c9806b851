import { AnantaError } from '../../src/contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../src/contract/failures.ts';
import { TOOL_NAMES } from './manifest/manifest.ts';
import type { Platform } from './types.ts';

export const SUPPORTED_PLATFORMS: readonly Platform[] = ['linux-amd64', 'linux-arm64', 'darwin-amd64', 'darwin-arm64'];

/** This machine is none of those the tools exist for. */
export class UnsupportedPlatformError extends AnantaError {
  override name = 'UnsupportedPlatformError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
  readonly platform: string;

  constructor(platform: string) {
    super(
      `An embedded environment cannot run on ${platform}: its ${TOOL_NAMES.length} tools exist for ${SUPPORTED_PLATFORMS.join(', ')}. ` +
        'Use one of these (on Windows: WSL 2), or an environment with an external engine and cluster.',
    );
    this.platform = platform;
  }
}

const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * The platform in the tools' words.
 * @param os as `process.platform` says it, `arch` as `process.arch` does
 * @throws UnsupportedPlatformError
 */
export function toolPlatform(os: string = process.platform, arch: string = process.arch): Platform {
  const name = `${os}-${GO_ARCHITECTURES[arch] ?? arch}`;
  const platform = SUPPORTED_PLATFORMS.find((supported) => supported === name);
  if (platform === undefined) throw new UnsupportedPlatformError(name);
  return platform;
}
