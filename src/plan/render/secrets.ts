/** Who reads which secret and how, as Markdown tables for docs/understand/secrets.md. */
import type { Catalog, SecretKey } from '../../catalog/schema.ts';
import { secretNameOf } from '../vault/kubernetes-secrets.ts';
import { releasesOf } from '../releases.ts';

/** Between these lines of docs/understand/secrets.md stands what is generated. */
export const MARKERS = { begin: '<!-- generated: begin -->', end: '<!-- generated: end -->' } as const;

/** @returns both tables: paths with their keys, services with their ways of reading */
export function secretTables(catalog: Catalog): string {
  return [
    '### Paths',
    '',
    ...table(
      ['Path below `secret/`', 'Keys', 'For'],
      catalog.secretPaths.map(({ path, origin, keys, description }) => [
        `\`${path}\`${origin === 'ours' ? ' (ours)' : ''}`,
        keys.map(describeKey).join('<br>'),
        description,
      ]),
    ),
    '',
    '### Readers',
    '',
    ...table(['Service or step', 'From a Kubernetes Secret', 'Logs in to Vault for'], readers(catalog)),
    '',
  ].join('\n');
}

/**
 * @param document docs/understand/secrets.md
 * @throws Error when the markers are gone
 */
export function withSecretTables(document: string, catalog: Catalog): string {
  const begin = document.indexOf(MARKERS.begin);
  const end = document.indexOf(MARKERS.end);
  if (begin < 0 || end < begin) throw new Error(`The document lacks the lines ${MARKERS.begin} and ${MARKERS.end}.`);
  return `${document.slice(0, begin + MARKERS.begin.length)}\n\n${secretTables(catalog)}\n${document.slice(end)}`;
}

function readers(catalog: Catalog): string[][] {
  return catalog.services
    .flatMap(releasesOf)
    .filter(({ secrets }) => secrets.length > 0)
    .map(({ name, secrets }) => [
      name,
      secrets
        .filter(({ delivery }) => delivery === 'kubernetes')
        .map((use) => `\`${secretNameOf(use)}\`${use.keys ? `: ${use.keys.join(', ')}` : ''}`)
        .join('<br>'),
      secrets
        .filter(({ delivery }) => delivery === 'login')
        .map(({ path }) => `\`${path}\``)
        .join('<br>'),
    ]);
}

function describeKey(key: SecretKey): string {
  switch (key.kind) {
    case 'generated':
      return `\`${key.name}\``;
    case 'fixed':
      return `\`${key.name}\` = ${key.value}`;
    case 'jwt':
      return `\`${key.name}\`, signed with ${key.signedWith}`;
    case 'bcrypt':
      return `\`${key.name}\`, hash of ${key.of}`;
    case 'copy':
      return `\`${key.name}\`, copy of ${key.from.path} ${key.from.key}`;
    case 'supplied':
      return `\`${key.name}\`, **supplied${key.initially === 'placeholder' ? ' later' : ''}**`;
  }
}

function table(header: string[], rows: string[][]): string[] {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}
