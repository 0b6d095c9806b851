/** What stands against a rotation that the catalog knows: of the environment, or of who reads the secret. Pure. */
import type { Catalog } from '../../catalog/schema.ts';
import type { Environment } from '../../environment/schema.ts';
import { loginReaders } from './readers.ts';
import { type Rotatable, RotationRefusedError, secretText } from './rotatable.ts';

/** @throws RotationRefusedError */
export function requirePossible(catalog: Catalog, { secrets }: Pick<Environment, 'secrets'>, secret: Rotatable): void {
  const logins = loginReaders(catalog, secret.path).map(({ name }) => name);
  if (logins.length > 0)
    throw new RotationRefusedError(
      `${secretText(secret)} is read from Vault by ${logins.join(', ')}, and nobody can tell when they read it again, so the former value could never be refused. Nothing was changed.`,
    );
  if (secrets.onChange === 'list')
    throw new RotationRefusedError(
      `${secretText(secret)}: the environment restarts no reader (secrets.onChange: list), and without that nobody moves to the new value. Nothing was changed.`,
    );
}
