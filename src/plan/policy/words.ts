/** Verdicts in words. Pure, and without the library that evaluates rules, so that workflows can say them. */
import type { PolicyVerdict } from '../../contract/admission/policy.ts';

export function isBroken({ violations, problem }: PolicyVerdict): boolean {
  return violations.length > 0 || problem !== undefined;
}

/** `images-by-digest: image redis:7.4 (image.digest = ""): images by digest only`, one a line. */
export function verdictLines({ rule, violations, message, problem }: PolicyVerdict): string[] {
  const why = message === undefined ? '' : `: ${message}`;
  return [
    ...violations.map(
      ({ object, fields }) => `${rule}: ${object}${fields.length === 0 ? '' : ` (${fields.join(', ')})`}${why}`,
    ),
    ...(problem === undefined ? [] : [`${rule}: it could not be evaluated (${problem})${why}`]),
  ];
}

/** For the notes of a plan. */
export function verdictNotes(verdicts: readonly PolicyVerdict[]): string[] {
  if (verdicts.length === 0) return [];
  const broken = verdicts.filter(isBroken);
  if (broken.length === 0)
    return [`Policy: all ${verdicts.length} rules are kept (${verdicts.map(({ rule }) => rule).join(', ')})`];
  return broken.flatMap((verdict) =>
    verdictLines(verdict).map(
      (line) => `Policy ${verdict.effect === 'deny' ? 'refuses' : 'asks for approval'}: ${line}`,
    ),
  );
}
