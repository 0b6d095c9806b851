/** Rules of roles: gathered right by right, written down as few, compared with what somebody is granted. Pure. */

/** One thing that somebody may do. */
export interface Right {
  verb: string;
  /** Empty for the core group. */
  group: string;
  /** Plural, with its subresource: `pods/log`. */
  resource: string;
  /** Absent: all objects of the kind. */
  name?: string;
}

/** As Kubernetes has it. */
export interface PolicyRule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

/** @param on the same names for each; absent: all objects */
export function rights(
  verbs: readonly string[],
  group: string,
  resources: readonly string[],
  names?: readonly string[],
): Right[] {
  return resources.flatMap((resource) =>
    verbs.flatMap((verb): Right[] =>
      names === undefined ? [{ verb, group, resource }] : names.map((name) => ({ verb, group, resource, name })),
    ),
  );
}

/** As few rules as say the same, in an order that does not depend on that of the rights. */
export function rulesOf(all: readonly Right[]): PolicyRule[] {
  const anyName = new Set(all.filter(({ name }) => name === undefined).map(keyOf));
  // What is granted for all objects need not be said by name.
  const needed = all.filter((right) => right.name === undefined || !anyName.has(keyOf(right)));
  const verbsOf = new Map<string, { group: string; resource: string; name: string | undefined; verbs: Set<string> }>();
  for (const { verb, group, resource, name } of needed) {
    const key = JSON.stringify([group, resource, name ?? null]);
    const entry = verbsOf.get(key) ?? { group, resource, name, verbs: new Set<string>() };
    entry.verbs.add(verb);
    verbsOf.set(key, entry);
  }
  // The same verbs on the same kind: one rule with all names.
  const byNames = [
    ...Map.groupBy(verbsOf.values(), ({ group, resource, name, verbs }) =>
      JSON.stringify([group, resource, name === undefined, [...verbs].sort()]),
    ).values(),
  ].map((entries) => ({
    group: entries[0]?.group ?? '',
    resource: entries[0]?.resource ?? '',
    verbs: [...(entries[0]?.verbs ?? [])].sort(),
    names: entries.flatMap(({ name }) => name ?? []).sort(),
  }));
  // The same verbs and names in the same group: one rule with all kinds.
  const byKinds = [
    ...Map.groupBy(byNames, ({ group, verbs, names }) => JSON.stringify([group, verbs, names])).values(),
  ].map(
    (entries): PolicyRule => ({
      apiGroups: [entries[0]?.group ?? ''],
      resources: entries.map(({ resource }) => resource).sort(),
      verbs: entries[0]?.verbs ?? [],
      ...(entries[0] !== undefined && entries[0].names.length > 0 ? { resourceNames: entries[0].names } : {}),
    }),
  );
  return byKinds.sort((a, b) => orderOf(a).localeCompare(orderOf(b), 'en'));
}

function keyOf({ verb, group, resource }: Right): string {
  return JSON.stringify([verb, group, resource]);
}

function orderOf({ apiGroups, resources, verbs, resourceNames }: PolicyRule): string {
  return JSON.stringify([apiGroups, resources, resourceNames ?? [], verbs]);
}

/** Whether rules grant a right, wildcards and all: rules of others may have some. */
export function grants(rules: readonly PolicyRule[], { verb, group, resource, name }: Right): boolean {
  const among = (list: readonly string[], wanted: string): boolean => list.includes('*') || list.includes(wanted);
  const [, sub] = resource.split('/');
  return rules.some(
    ({ apiGroups, resources, verbs, resourceNames = [] }) =>
      among(verbs, verb) &&
      among(apiGroups, group) &&
      (among(resources, resource) || (sub !== undefined && resources.includes(`*/${sub}`))) &&
      (resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name))),
  );
}
