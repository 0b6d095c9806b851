/** Files with something secret in them. */
import { stat } from 'node:fs/promises';
import { EngineAccessError } from './errors.ts';

/**
 * Groups may read it: that is how a pod gets a Secret.
 * @param where the field of the environment, with the path
 * @throws Refusal where everybody on this machine can read the file
 */
export async function refuseEverybodys(
  path: string,
  where: string,
  opens: string,
  Refusal: typeof EngineAccessError = EngineAccessError,
): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o007) !== 0)
    throw new Refusal(
      `${where} can be read by everybody on this machine (mode ${(mode & 0o777).toString(8)}): what it holds opens ${opens}.`,
      [`chmod 600 ${path}`],
    );
}
