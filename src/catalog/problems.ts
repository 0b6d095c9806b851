/** What is wrong with a catalog: where it stands and what it is. */
import type { z } from 'zod';

export interface CatalogProblem {
  /** Relative to the checkout. */
  file: string;
  /** `<service>.<field>`, or the field alone where there is no service. */
  field: string;
  message: string;
}

export class CatalogError extends Error {
  override name = 'CatalogError';
  readonly problems: CatalogProblem[];

  constructor(problems: CatalogProblem[]) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    super(
      [
        `The catalog has ${count}:`,
        ...problems.map(({ file, field, message }) => `  ${file}: ${field}: ${message}`),
      ].join('\n'),
    );
    this.problems = problems;
  }
}

/** Where each part of the catalog is written. */
const FILES: Record<string, string> = {
  phases: 'phases.ts',
  namespaces: 'namespaces.ts',
  applicationSet: 'namespaces.ts',
  upstreamCharts: 'charts.ts',
  secretPaths: 'secrets.ts',
  databases: 'databases.ts',
  migrations: 'databases.ts',
  bucketSets: 'init.ts',
  realm: 'init.ts',
  temporalNamespaces: 'init.ts',
  services: 'services/index.ts',
};

export function fileOf(section: string): string {
  return `src/catalog/${FILES[section] ?? 'index.ts'}`;
}

export function fileOfModule(module: string): string {
  return `src/catalog/services/${module}.ts`;
}

/** Turns what zod found into problems that name the service and its file instead of positions. */
export function problemsOfShape(error: z.ZodError, input: unknown): CatalogProblem[] {
  return error.issues.map((issue) => {
    const [section, index, ...rest] = issue.path.map(String);
    const entry = property(property(input, section), index);
    const name = ['name', 'path', 'service', 'server']
      .map((key) => property(entry, key))
      .find((value) => typeof value === 'string');
    const module = property(entry, 'module');
    return {
      file: section === 'services' && typeof module === 'string' ? fileOfModule(module) : fileOf(section ?? ''),
      field: [...(section === 'services' ? [] : [section]), name ?? index, ...rest]
        .filter((part) => part !== undefined)
        .join('.'),
      message: issue.message,
    };
  });
}

function property(value: unknown, key: string | undefined): unknown {
  return typeof value === 'object' && value !== null && key !== undefined
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
