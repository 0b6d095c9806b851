/** Option values: text in, typed value out, or a message that says what is expected. */
import { InvalidArgumentError } from 'commander';
import { referenceProblem } from '../../environment/fields/formats/images.ts';
import { IMAGE_VERSION } from '../../environment/image-version.ts';
import { suggestion } from '../../suggest.ts';
import { refused } from './failure.ts';

const LONGEST_SECONDS = 366 * 86_400;
const UNITS = { h: 3600, m: 60, s: 1 } as const;

/** `90s`, `15m`, `1h30m` to seconds. @throws InvalidArgumentError */
export function parseDuration(text: string): number {
  const match = /^(?:(?<h>\d+)h)?(?:(?<m>\d+)m)?(?:(?<s>\d+)s)?$/.exec(text.trim());
  let seconds = 0;
  for (const unit of ['h', 'm', 's'] as const) seconds += Number(match?.groups?.[unit] ?? 0) * UNITS[unit];
  if (seconds > LONGEST_SECONDS) throw new InvalidArgumentError(`"${shortened(text)}" is longer than a year.`);
  if (match === null || seconds === 0) {
    const hint = /^\d+$/.test(text) ? ` The unit is missing: ${text}s or ${text}m?` : '';
    throw new InvalidArgumentError(
      `"${shortened(text)}" is not a duration: expected hours, minutes and seconds like 90s, 15m or 1h30m.${hint}`,
    );
  }
  return seconds;
}

/** How old something is: `90d`, or a duration. @returns seconds. @throws InvalidArgumentError */
export function parseAge(text: string): number {
  const days = /^(\d{1,4})d$/.exec(text.trim())?.[1];
  if (days === undefined) return parseDuration(text);
  if (Number(days) > 0) return Number(days) * 86_400;
  throw new InvalidArgumentError(`"${shortened(text)}" is no age: expected days or hours, like 90d or 12h.`);
}

/** A duration that may be none: `0s` is at once. @throws InvalidArgumentError */
export function parseDelay(text: string): number {
  return text.trim() === '0s' ? 0 : parseDuration(text);
}

/** @returns a parser of whole numbers, which throws InvalidArgumentError */
export function parseCount(option: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (count >= least && count <= most) return count;
    throw new InvalidArgumentError(
      `${option} ${shortened(text)}: expected a whole number from ${least} to ${most}, as in 20.`,
    );
  };
}

/** For an option that may be repeated. */
export function collectText(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** For messages: what somebody typed, or a program pasted. */
export function shortened(text: string): string {
  const line = text.replace(/\p{Cc}/gu, '?');
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
}

const SHOWN = 120;

/** Whole days. @throws InvalidArgumentError */
export function parseDays(text: string): number {
  if (!/^\d{1,4}$/.test(text))
    throw new InvalidArgumentError(`"${shortened(text)}" is not a number of days, as in 30.`);
  return Number(text);
}

/** Number of a platform version. @throws InvalidArgumentError */
export function parseVersion(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new InvalidArgumentError(`"${shortened(text)}" is not the number of a version, as in 12.`);
  return Number(text);
}

/** For a repeatable `--image SERVICE=TAG`. @throws InvalidArgumentError */
export function collectImage(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  const service = text.slice(0, at);
  const tag = text.slice(at + 1);
  if (at < 1 || tag === '') throw new InvalidArgumentError(`"${shortened(text)}" is not SERVICE=TAG, as in api=1.4.2.`);
  if (!IMAGE_VERSION.test(tag)) {
    throw new InvalidArgumentError(
      `"${shortened(tag)}" is not an image tag (letters, digits, "_", "." and "-", at most 128) and not a digest (sha256: and 64 hexadecimal digits). Only that is given here; the repository stays the environment's.`,
    );
  }
  if (before[service] !== undefined && before[service] !== tag)
    throw new InvalidArgumentError(`${service} is given twice, with ${before[service]} and ${tag}.`);
  return { ...before, [service]: tag };
}

/** NAME:TAG or NAME@sha256:DIGEST. @throws InvalidArgumentError */
export function parseReference(text: string): string {
  const problem = referenceProblem(text, true);
  if (problem === undefined) return text;
  throw new InvalidArgumentError(`"${shortened(text)}" ${problem}. An image is NAME:TAG or NAME@sha256:DIGEST.`);
}

/** @throws CliError (refused) when one of the services does not exist. */
export function checkImages(tags: Record<string, string>, services: readonly string[]): void {
  for (const service of Object.keys(tags)) {
    if (!services.includes(service)) {
      throw refused(
        `--image ${shortened(service)}=${shortened(tags[service] ?? '')}: there is no service "${shortened(service)}"${suggestion(service, services) || '.'}`,
        'See all services: npm run ananta -- catalog',
      );
    }
  }
}

/** A service of the catalog by name. @throws CliError (refused) */
export function checkService(name: string, services: readonly string[]): void {
  if (!services.includes(name))
    throw refused(
      `There is no service "${name}"${suggestion(name, services) || '.'}`,
      'See all services: npm run ananta -- catalog',
    );
}
