/** A plan as people read it, in 80 columns. Pure. */
import type {
  ObjectAction,
  ObjectChange,
  PlatformChanges,
  ReleaseChange,
  ServiceAction,
  ServiceChange,
} from '../../plan/diff/types.ts';
import { commandLine, count, duration, oneLine, truncate, wrap } from '../shared/format.ts';
import type { Style, Tone } from '../shared/terminal.ts';

const MARKS: Record<ServiceAction | ObjectAction | 'orphan', { mark: string; tone: Tone }> = {
  create: { mark: '+', tone: 'good' },
  upgrade: { mark: '~', tone: 'busy' },
  update: { mark: '~', tone: 'busy' },
  replace: { mark: '-/+', tone: 'bad' },
  adopt: { mark: '>', tone: 'busy' },
  retry: { mark: '~', tone: 'busy' },
  restart: { mark: '~', tone: 'busy' },
  verify: { mark: '?', tone: 'busy' },
  delete: { mark: '-', tone: 'bad' },
  skip: { mark: ' ', tone: 'dim' },
  orphan: { mark: '!', tone: 'dim' },
};

const WIDEST = 100;

interface Page {
  columns: number;
  style: Style;
}

export interface PlanTextOptions extends Page {
  /** Plan file that was written. */
  file?: string;
  /** Options that a deployment needs for the same plan: `--image x=1`. */
  deployArgs: string[];
}

export function planLines(changes: PlatformChanges, options: PlanTextOptions): string[] {
  const page = { style: options.style, columns: Math.min(options.columns, WIDEST) };
  const { style } = page;
  return [
    style(
      'bold',
      `Plan for ${changes.environment}${changes.clusterUid === undefined ? ', whose cluster is still to be made' : ` (cluster ${changes.clusterUid.slice(0, 8)})`}: ${changes.digest}`,
    ),
    ...changes.notes.flatMap((note) => wrap(note, page.columns)),
    ...prerequisiteLines(changes, page),
    ...changes.phases.flatMap(({ number, title }) => {
      const touched = changes.services.filter(({ phase, action }) => phase === number && action !== 'skip');
      return touched.length === 0
        ? []
        : [
            '',
            style('bold', `Phase ${number}: ${title}`),
            ...touched.flatMap((service) => serviceLines(service, page)),
          ];
    }),
    ...orphanLines(changes, page),
    ...checkLines(changes, page),
    '',
    ...closingLines(changes, options, page),
  ];
}

function prerequisiteLines({ prerequisites }: PlatformChanges, page: Page): string[] {
  if (prerequisites.length === 0) return [];
  const namespaces = prerequisites
    .filter(({ action, what }) => action === 'create' && what.startsWith('Namespace '))
    .map(({ what }) => what.slice('Namespace '.length));
  const others = prerequisites.filter(({ action, what }) => !(action === 'create' && what.startsWith('Namespace ')));
  return [
    '',
    page.style('bold', 'Prerequisites'),
    ...(namespaces.length > 0
      ? marked('create', `${count(namespaces.length, 'namespace')}: ${namespaces.join(', ')}`, 2, page)
      : []),
    ...others.flatMap(({ action, what, why }) => marked(action, `${what}: ${oneLine(why)}`, 2, page)),
  ];
}

/** Each deployment makes them, also one that changes nothing. */
function checkLines({ checks = [] }: PlatformChanges, page: Page): string[] {
  if (checks.length === 0) return [];
  return [
    '',
    page.style('bold', 'Checks after the last service'),
    ...checks.flatMap(({ service, name, reason, skipped }) =>
      skipped === undefined
        ? marked('verify', `${service}/${name}: ${oneLine(reason)}`, 2, page)
        : marked('skip', `${service}/${name} is not made: ${oneLine(skipped)}`, 2, page),
    ),
  ];
}

function serviceLines(service: ServiceChange, page: Page): string[] {
  return [
    ...marked(service.action, `${service.name} (${service.namespace}): ${reasonText(service.reason)}`, 2, page),
    // A reason that stands at the service is not repeated at its release.
    ...service.releases.flatMap((release) =>
      releaseLines(
        release,
        release.name === service.name || service.reason === `${release.name}: ${release.reason}`,
        page,
      ),
    ),
  ];
}

/** Digests are for programs; the content that they stand for is listed below them for people. */
function reasonText(reason: string): string {
  return oneLine(reason).replace(/: [0-9a-f]{16} is deployed, [0-9a-f]{16} is wanted$/, '');
}

function releaseLines(
  { name, objects, note, action, reason, kind }: ReleaseChange,
  said: boolean,
  page: Page,
): string[] {
  if (action === 'unchanged' || action === 'excluded') return [];
  const fresh = objects.filter(({ action: what, blocked }) => what === 'create' && blocked === undefined);
  const others = objects.filter((object) => !fresh.includes(object));
  return [
    ...(said ? [] : wrapped(`${kind === 'release' ? 'release' : 'step'} ${name}: ${reasonText(reason)}`, 6, page)),
    ...(note === undefined ? [] : wrapped(note, 6, page)),
    ...(fresh.length === 0 ? [] : marked('create', summary(name, fresh), 6, page)),
    ...alike(others).flatMap(([object, ...more]) => objectLines(object, more, page)),
    ...(objects.length === 0 && note === undefined && kind === 'release' && ['install', 'upgrade'].includes(action)
      ? wrapped('no object would change: Helm records a new revision', 6, page)
      : []),
  ];
}

/** `Deployment, Job migrate-1a2b3c4d, 2×Service`: the release's own name says nothing new. */
function summary(release: string, objects: readonly ObjectChange[]): string {
  const kinds = new Map<string, string[]>();
  for (const { kind, name } of objects) kinds.set(kind, [...(kinds.get(kind) ?? []), name]);
  return [...kinds]
    .map(([kind, names]) =>
      names.length > 1 ? `${names.length}×${kind}` : names[0] === release ? kind : `${kind} ${names[0] ?? ''}`,
    )
    .join(', ');
}

/** Objects to which the very same happens, such as another version in a label, are said once. */
function alike(objects: readonly ObjectChange[]): [ObjectChange, ...ObjectChange[]][] {
  const groups = new Map<string, [ObjectChange, ...ObjectChange[]]>();
  for (const object of objects) {
    const { kind: _kind, name: _name, namespace: _namespace, ...same } = object;
    const key = JSON.stringify(same);
    const known = groups.get(key);
    if (known) known.push(object);
    else groups.set(key, [object]);
  }
  return [...groups.values()];
}

function objectLines(object: ObjectChange, more: readonly ObjectChange[], page: Page): string[] {
  const { action, fields, immutable = [], blocked, note } = object;
  return [
    ...marked(action, [object, ...more].map(({ kind, name }) => `${kind} ${oneLine(name)}`).join(', '), 6, page),
    ...(note === undefined ? [] : wrapped(note, 10, page)),
    ...fields.flatMap(({ path, from, to }) =>
      fieldLines(`${path}${immutable.includes(path) ? '  (cannot be changed in place)' : ''}`, from, to, page),
    ),
    ...(blocked === undefined
      ? []
      : wrapped(`A deployment would stop here: ${oneLine(blocked)}`, 10, page).map((line) => page.style('bad', line))),
  ];
}

function fieldLines(
  path: string,
  from: string | undefined,
  to: string | undefined,
  { columns, style }: Page,
): string[] {
  const before = from === undefined ? '(not set)' : oneLine(from);
  const after = to === undefined ? '(goes away)' : oneLine(to);
  const short = `${' '.repeat(10)}${path}: ${before} → ${after}`;
  if (short.length <= columns) return [short];
  return [
    ...wrapLong(`${path}:`, 10, columns),
    style('bad', truncate(`${' '.repeat(12)}- ${before}`, columns)),
    style('good', truncate(`${' '.repeat(12)}+ ${after}`, columns)),
  ];
}

function orphanLines({ orphans }: PlatformChanges, page: Page): string[] {
  if (orphans.length === 0) return [];
  return [
    '',
    page.style('bold', 'Not in the catalog (any more)'),
    ...orphans.flatMap(({ name, namespace, revision }) =>
      marked('orphan', `release ${name} (${namespace}), revision ${revision}: left as it is`, 2, page),
    ),
  ];
}

function closingLines(changes: PlatformChanges, { file, deployArgs }: PlanTextOptions, page: Page): string[] {
  const { style } = page;
  const { services, expected, environment, simulated } = changes;
  const tally = (action: ServiceAction): number => services.filter((service) => service.action === action).length;
  const excluded = services.filter(
    ({ releases, action }) => action === 'skip' && releases.some((release) => release.action === 'excluded'),
  ).length;
  const words: [number, string][] = [
    [tally('create'), 'to create'],
    [tally('upgrade'), 'to upgrade'],
    [tally('replace'), 'to replace'],
    [tally('adopt'), 'to adopt'],
    [tally('retry'), 'to apply again'],
    [tally('restart'), 'to restart'],
    [tally('verify'), 'to wait for'],
    [tally('skip') - excluded, 'as wanted'],
    [excluded, 'not selected'],
  ];
  const said = words
    .filter(([n]) => n > 0)
    .map(([n, word]) => `${n} ${word}`)
    .join(', ');
  const blocked = services
    .filter(({ releases }) => releases.some(({ objects }) => objects.some((object) => object.blocked !== undefined)))
    .map(({ name }) => name);
  if (!changes.changes)
    return [
      ...wrap(`${count(services.length, 'service')}: ${said}.`, page.columns),
      style('good', `Nothing to do in ${environment}.`),
    ];
  const source =
    expected.measured === expected.touched
      ? 'measured here before'
      : expected.measured === 0
        ? 'by declared start-up times'
        : `${expected.measured} of ${expected.touched} services measured here before, the others by declared start-up times`;
  return [
    ...wrap(`${count(services.length, 'service')}: ${said}.`, page.columns),
    ...(expected.touched === 0
      ? []
      : wrap(
          `Expected: about ${duration(expected.seconds)} (${source}${simulated ? '; pods simulated' : ''}).`,
          page.columns,
        )),
    ...(expected.path.length < 2 ? [] : wrap(`Longest path: ${expected.path.join(' → ')}`, page.columns)),
    ...(blocked.length === 0
      ? []
      : wrap(`A deployment would stop at: ${blocked.join(', ')}.`, page.columns).map((line) => style('bad', line))),
    'Nothing was changed.',
    `${style('bold', 'Next:')} ${commandLine('deploy', '--env', environment, ...(file === undefined ? deployArgs : ['--plan', file]))}`,
  ];
}

function marked(action: keyof typeof MARKS, text: string, indent: number, page: Page): string[] {
  const { mark, tone } = MARKS[action];
  const lines = wrapLong(text, indent + 4, page.columns);
  return lines.map((line, index) =>
    index === 0 ? page.style(tone, `${' '.repeat(indent)}${mark.padEnd(3)} ${line.trimStart()}`) : line,
  );
}

function wrapped(text: string, indent: number, { columns }: Page): string[] {
  return wrapLong(text, indent, columns);
}

/** Wraps; what is longer than a line and has no blank is broken where it must be. */
function wrapLong(text: string, indent: number, columns: number): string[] {
  const width = Math.max(20, columns - indent);
  return wrap(text, width)
    .flatMap((line) => line.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [])
    .map((line) => `${' '.repeat(indent)}${line}`);
}
