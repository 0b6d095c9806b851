/**
 * What an earlier version of this program has made in Vault and none needs any more: a policy for each service, named
 * like its role, and roles of services that get Kubernetes Secrets instead of logging in. Pure.
 */
import type { Catalog } from '../../catalog/schema.ts';
import { VAULT } from '../../contract/names.ts';
import { serviceRoles, vaultRoleName } from './policies.ts';

export interface AccessInVault {
  /** Text by name. */
  policies: ReadonlyMap<string, string>;
  /** Fields by name, of all roles. */
  roles: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

export interface Superseded {
  policies: string[];
  roles: string[];
}

/** Names that it may be found under: what has none of them needs no reading. */
export function supersededNames({ services }: Pick<Catalog, 'services'>): Set<string> {
  return new Set(services.map(({ name }) => vaultRoleName(name)).filter((name) => name !== VAULT.deployerRole));
}

/**
 * By name and content alike what that version wrote: whoever has made or changed something under such a name keeps it,
 * and so does whoever uses it through another role.
 */
export function supersededAccess(catalog: Catalog, { policies, roles }: AccessInVault): Superseded {
  const wanted = new Set(serviceRoles(catalog).map(({ name }) => name));
  const own = new Map(catalog.services.map((service) => [vaultRoleName(service.name), service]));
  const named = supersededNames(catalog);
  const old = [...roles].flatMap(([name, fields]) => {
    const service = own.get(name);
    if (service === undefined || !named.has(name) || wanted.has(name)) return [];
    const is = (field: string, value: string): boolean => same(fields[field], value);
    return is('bound_service_account_names', service.name) &&
      is('bound_service_account_namespaces', service.namespace) &&
      is('token_policies', name)
      ? [name]
      : [];
  });
  const used = new Set(
    [...roles]
      .filter(([name]) => !old.includes(name))
      .flatMap(([, fields]) => [fields['token_policies'], fields['policies']].flat().map(String)),
  );
  return {
    roles: old.sort(),
    policies: [...policies]
      .filter(([name, text]) => named.has(name) && !used.has(name) && isOfEarlierVersion(own.get(name)?.name, text))
      .map(([name]) => name)
      .sort(),
  };
}

/** As it was written: the service as a comment, then nothing but the right to read single paths. */
function isOfEarlierVersion(service: string | undefined, text: string): boolean {
  const [first, ...rules] = text.trim().split('\n');
  const path = `path "${VAULT.kvMount}/data/`;
  return (
    first === `# ${service ?? ''}` &&
    rules.every(
      (line) =>
        line.startsWith(path) && /^[A-Za-z0-9/_-]+" \{ capabilities = \["read"\] \}$/.test(line.slice(path.length)),
    )
  );
}

function same(field: unknown, value: string): boolean {
  const values = [field].flat();
  return values.length === 1 && values[0] === value;
}
