/** Option values: text in, typed value out, or a message that says what is expected. */
import { InvalidArgumentError } from 'commander';
import { IMAGE_VERSION } from '../environment/image-version.ts';
import { suggestion } from '../suggest.ts';
import { refused } from './failure.ts';

const UNITS = { h: 3600, m: 60, s: 1 } as const;

/** `90s`, `15m`, `1h30m` to seconds. @throws InvalidArgumentError */
export function parseDuration(text: string): number {
  const match = /^(?:(?<h>\d+)h)?(?:(?<m>\d+)m)?(?:(?<s>\d+)s)?$/.exec(text.trim());
  let seconds = 0;
  for (const unit of ['h', 'm', 's'] as const) seconds += Number(match?.groups?.[unit] ?? 0) * UNITS[unit];
  if (match === null || seconds === 0) {
    const hint = /^\d+$/.test(text) ? ` The unit is missing: ${text}s or ${text}m?` : '';
    throw new InvalidArgumentError(
      `"${text}" is not a duration: expected hours, minutes and seconds like 90s, 15m or 1h30m.${hint}`,
    );
  }
  return seconds;
}

/** Whole days. @throws InvalidArgumentError */
export function parseDays(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a number of days, as in 30.`);
  return Number(text);
}

/** Number of a platform version. @throws InvalidArgumentError */
export function parseVersion(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new InvalidArgumentError(`"${text}" is not the number of a version, as in 12.`);
  return Number(text);
}

/** For a repeatable `--image SERVICE=TAG`. @throws InvalidArgumentError */
export function collectImage(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  const service = text.slice(0, at);
  const tag = text.slice(at + 1);
  if (at < 1 || tag === '') throw new InvalidArgumentError(`"${text}" is not SERVICE=TAG, as in api=1.4.2.`);
  if (!IMAGE_VERSION.test(tag)) {
    throw new InvalidArgumentError(
      `"${tag}" is not an image tag (letters, digits, "_", "." and "-", at most 128) and not a digest (sha256: and 64 hexadecimal digits). Only that is given here; the repository stays the environment's.`,
    );
  }
  if (before[service] !== undefined && before[service] !== tag)
    throw new InvalidArgumentError(`${service} is given twice, with ${before[service]} and ${tag}.`);
  return { ...before, [service]: tag };
}

/** @throws CliError (refused) when one of the services does not exist. */
export function checkImages(tags: Record<string, string>, services: readonly string[]): void {
  for (const service of Object.keys(tags)) {
    if (!services.includes(service)) {
      throw refused(
        `--image ${service}=${tags[service] ?? ''}: there is no service "${service}"${suggestion(service, services) || '.'}`,
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
