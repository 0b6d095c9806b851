/** What an adoption leaves to be read and kept: files, and the same as lines for a terminal. Pure. */
import { stringify } from 'yaml';
import type { AdoptionDraft, AdoptedService, KeptValue } from './draft.ts';
import { EFFECT_WORDS } from './explain.ts';
import type { Found, FoundRelease } from './found.ts';

interface AdoptionFile {
  name: string;
  text: string;
}

export interface Naming {
  /** Of the environment. */
  name: string;
  /** What its file extends now; absent: nothing. */
  extending?: string;
  origin: string;
}

const SHOWN_VALUE = 60;

/** Name of the file that the environment's own is to extend; the leading underscore marks it as no environment. */
export function adoptedFileName(environment: string): string {
  return `_${environment}-adopted.yaml`;
}

/** No value of a secret is in any of them. */
export function adoptionFiles(draft: AdoptionDraft, naming: Naming, lines: readonly string[]): AdoptionFile[] {
  const { name, extending, origin } = naming;
  return [
    {
      name: adoptedFileName(name),
      text: [
        '# yaml-language-server: $schema=./environment.schema.json',
        '#',
        `# What ran before the deployer took over, kept as it is. From ${origin}.`,
        `# Put it beside ${name}.yaml, and let that say: extends: ${adoptedFileName(name).replace('.yaml', '')}`,
        '# Each value that goes from here becomes what the platform says; adoption.txt says what that does.',
        stringify(
          { ...(extending === undefined ? {} : { extends: extending }), ...draft.environment },
          { lineWidth: 120 },
        ),
      ].join('\n'),
    },
    {
      name: 'secrets.yaml',
      text: [
        '# Where values are now: by path in Vault, then key, the Kubernetes Secret that holds it. No value stands here.',
        `# They are read by: npm run ananta -- secrets import --env ${name} --references secrets.yaml`,
        Object.keys(draft.references).length === 0 ? '{}\n' : stringify(draft.references, { lineWidth: 120 }),
        ...draft.unknown.flatMap(({ path, key, candidates }) => [
          `# ${path} ${key}: nobody knows where it is${candidates.length === 0 ? '; without a line here it is generated, or asked for where others give it' : '. It may be'}`,
          ...candidates.map(
            ({ namespace, secret, key: theirs }) =>
              `#   ${path}: {${key}: {namespace: ${namespace}, secret: ${secret}, key: ${theirs}}}`,
          ),
        ]),
        '',
      ].join('\n'),
    },
    { name: 'adoption.txt', text: `${lines.join('\n')}\n` },
  ];
}

/** Everything that was found, what becomes of it, and why. */
export function adoptionLines(draft: AdoptionDraft, found: Found): string[] {
  const { services, near, unmatched, missing, references, unknown } = draft;
  const imported = Object.entries(references).flatMap(([path, keys]) =>
    Object.entries(keys).map(
      ([key, { namespace, secret, key: theirs }]) => `  ${path} ${key}  from Secret ${namespace}/${secret}, ${theirs}`,
    ),
  );
  return [
    `Found in ${found.origin}: ${found.releases.length} releases.`,
    ...section(`${services.length} can be taken over as they are`, services.flatMap(serviceLines)),
    ...section(
      'Near misses: left alone, unless the catalog gets their name and place (docs/learn/bring-your-own-platform.md)',
      near.flatMap(({ found: one, candidates }) => [
        `  ${place(one)}`,
        ...candidates.map(
          ({ release, score, differs }) =>
            `    ${Math.round(score * 100)} % ${release.namespace}/${release.name}: differs in ${differs.join(', ')}`,
        ),
      ]),
    ),
    ...section(
      'Not of the platform: left alone',
      unmatched.map((one) => `  ${place(one)}`),
    ),
    ...section(
      'Argo CD sets these back by itself: it has to stop before anything is changed',
      found.releases.filter(({ synchronises }) => synchronises).map(({ name, source }) => `  ${source} (${name})`),
    ),
    ...section('Passwords that run, and where they are imported from', imported),
    ...section(
      'Values of which nobody knows where they are now',
      unknown.map(
        ({ path, key, candidates }) =>
          `  ${path} ${key}${candidates.length === 0 ? '' : `  (perhaps ${candidates.map(({ namespace, secret }) => `${namespace}/${secret}`).join(', ')})`}`,
      ),
    ),
    ...vaultLines(found),
    ...section(
      'Other resources, left alone',
      found.others.map(({ what, why }) => `  ${what}: ${why}`),
    ),
    ...section(
      'Not there yet: the first deployment makes them',
      missing.length === 0 ? [] : [`  ${missing.map(({ name }) => name).join(', ')}`],
    ),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines];
}

function serviceLines({ release, namespace, chart, source, foundIn, kept, remaining }: AdoptedService): string[] {
  return [
    `  ${namespace}/${release}  ${chart} (${source})  ${foundIn}`,
    ...kept.map((value) => `    kept     ${value.path}: ${keptText(value)}`),
    ...remaining.map(
      ({ what, effect, why }) => `    ${effect === 'restart' ? 'restarts' : 'changes '} ${what}: ${why}`,
    ),
  ];
}

function keptText({ ours, theirs, effect, why }: KeptValue): string {
  return `${shown(theirs)} there, ${shown(ours)} with us; ${EFFECT_WORDS[effect]} (${why})`;
}

function shown(value: unknown): string {
  if (value === undefined) return "the chart's default";
  const text = JSON.stringify(value);
  return text.length > SHOWN_VALUE ? `${text.slice(0, SHOWN_VALUE)}…` : text;
}

function place({ namespace, name, chart, status, source }: FoundRelease): string {
  return `${namespace}/${name}  ${chart.name} ${chart.version} (${status})  ${source}`;
}

function vaultLines({ vault: { mounts, logins, policies, roles, secrets } }: Found): string[] {
  return section('In Vault', [
    ...mounts.map(({ path, type }) => `  secrets engine ${path}/ (${type}): stays`),
    ...logins.map(({ path, type }) => `  login ${path}/ (${type}): stays`),
    ...policies.map((name) => `  policy ${name}: stays; the deployer writes policies named ananta-… alone`),
    ...roles.map(({ mount, name }) => `  role ${mount}/${name}: stays; a role of ours with that name is written over`),
    ...secrets.map(
      ({ path, keys }) =>
        `  ${path}: ${keys.length === 0 ? 'keys unknown' : keys.join(', ')}; stays, keys that are there are never overwritten`,
    ),
  ]);
}
