/** Programs of this machine that images are made with. */
import type { BuildContext } from './types.ts';

/**
 * Installs what is missing, where this is Debian and the user may; the tests' machine is theirs.
 * @param wanted program → Debian package
 */
export async function requirePrograms(wanted: Readonly<Record<string, string>>, context: BuildContext): Promise<void> {
  const missing: string[] = [];
  for (const [program, pkg] of Object.entries(wanted)) {
    const found = await context.run('sh', ['-c', 'command -v "$1"', 'sh', program]).catch(() => undefined);
    if (found === undefined) missing.push(pkg);
  }
  if (missing.length === 0) return;
  context.say(`installing ${missing.join(', ')} on this machine`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await context.run('apt-get', ['-qq', 'update'], { env });
  await context.run('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', ...missing], { env });
}
