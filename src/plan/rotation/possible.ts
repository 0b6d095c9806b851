/**
 * Why a secret that the catalog can rotate cannot be rotated here: because of the environment, or of who reads it.
 * Pure.
 */
import type { Catalog } from '../../catalog/schema.ts';
import type { RotateSelection } from '../../contract/operations/secret-name.ts';
import type { Environment } from '../../environment/schema.ts';
import { chartSource } from '../charts/source.ts';
import { keysOf } from '../vault/kubernetes-secrets.ts';
import { usernameKeyOf } from './login.ts';
import { loginReaders } from './readers.ts';
import { type Chosen, chooseSecrets, type Rotatable, RotationRefusedError, secretText } from './rotatable.ts';

type Where = Pick<Environment, 'secrets' | 'charts' | 'chartOverrides'>;

/** @returns the reason; undefined where it can be rotated */
export function obstacle(catalog: Catalog, environment: Where, secret: Rotatable): string | undefined {
  const name = secretText(secret);
  const logins = loginReaders(catalog, secret).map((service) => service.name);
  if (logins.length > 0)
    return `${name} is read from Vault by ${logins.join(', ')}, and nobody can tell when they read it again, so the former value could never be refused.`;
  const usernameKey = usernameKeyOf(secret.rotation);
  // MinIO's own chart takes both from the Secret.
  const byValues = usernameKey !== undefined && secret.rotation.system !== 'minio';
  const fixedName = catalog.services.find(
    (service) =>
      byValues &&
      chartSource(environment, service) === 'upstream' &&
      service.secrets.some(
        (use) =>
          use.path === secret.path &&
          keysOf(catalog, use).some(
            (key) => key === usernameKey || (key === secret.key && service.name === secret.rotation.server),
          ),
      ),
  );
  if (fixedName !== undefined)
    return `${name}: ${fixedName.name} runs from its publisher's chart, which takes the user's name from values and not from the Secret, so it could not move to the other of the two users.`;
  if (environment.secrets.onChange === 'list')
    return `${name}: the environment restarts no reader (secrets.onChange: list), and without that nobody moves to the new value.`;
  return undefined;
}

/**
 * What a request is about, before ages are looked at.
 * @throws RotationRefusedError for what is asked for by name and cannot be rotated here
 */
export function choosePossible(
  catalog: Catalog,
  environment: Where,
  selection: Pick<RotateSelection, 'secrets'>,
): Chosen {
  const { rotatable, left } = chooseSecrets(catalog, selection);
  const judged = rotatable.map((secret) => ({ secret, against: obstacle(catalog, environment, secret) }));
  const against = judged.flatMap((each) => each.against ?? []);
  if (selection.secrets !== undefined && against.length > 0)
    throw new RotationRefusedError([...against, 'Nothing was changed.'].join('\n'));
  return {
    rotatable: judged.filter((each) => each.against === undefined).map(({ secret }) => secret),
    left: [...against, ...left],
  };
}
