/** What is wrong with a catalog: where it stands and what it is. */
import { AnantaError, type NextStep } from '../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../contract/failures.ts';
import { suggestion } from '../suggest.ts';
import type { z } from 'zod';

export interface CatalogProblem {
  /** Relative to the checkout, where it is written there. */
  file: string;
  /** `<service>.<field>`, or the field alone where there is no service. */
  field: string;
  message: string;
}

/** A problem before it is said in which file its part of the catalog is written. */
export interface PlacedProblem {
  /** Key of the catalog: `services`, `secretPaths`. */
  section: string;
  /** Of a service. */
  module?: string;
  field: string;
  message: string;
}

export class CatalogError extends AnantaError {
  override name = 'CatalogError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
  override readonly next: readonly NextStep[] = ['Correct the fields named above, then run the same command again.'];
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

/** Names what does not exist, and what was probably meant. */
export function unknown(kind: string, name: string, known: Iterable<string>): string {
  return `unknown ${kind} "${name}"${suggestion(name, known)}`;
}

/** Turns what zod found into problems that name the service and its file instead of positions. */
export function problemsOfShape(error: z.ZodError, input: unknown): PlacedProblem[] {
  return error.issues.map((issue) => {
    const [section, index, ...rest] = issue.path.map(String);
    const entry = property(property(input, section), index);
    const name = ['name', 'path', 'service', 'server']
      .map((key) => property(entry, key))
      .find((value) => typeof value === 'string');
    const module = property(entry, 'module');
    return {
      section: section ?? '',
      ...(typeof module === 'string' ? { module } : {}),
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
