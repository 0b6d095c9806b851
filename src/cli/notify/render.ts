/** Notifications that did not arrive, and what came back, in lines. Pure. */
import type { DeadLetter, Delivery } from '../../contract/notifications.ts';
import { commandLine, count, oneLine, table, truncate } from '../shared/format.ts';
import type { Style } from '../shared/terminal.ts';

/** @param letters the newest first */
export function letterLines(environment: string, letters: readonly DeadLetter[], columns: number): string[] {
  if (letters.length === 0) return [`Everything that was to be told on ${environment} was told.`];
  const rows = letters.map(({ id, at, target, attempts, error, notification: { event, title } }) => [
    id,
    at.slice(0, 19).replace('T', ' '),
    target,
    event,
    String(attempts),
    `${oneLine(title)}: ${oneLine(error)}`,
  ]);
  return [
    ...table([['Id', 'Given up (UTC)', 'Target', 'Event', 'Tries', 'What, and what came back'], ...rows]).map((line) =>
      truncate(line, columns),
    ),
    '',
    `${count(letters.length, 'notification')} of ${environment} did not arrive.`,
    `Next: ${commandLine('notify', 'retry', '--all', '--env', environment)}   (tells again; "notify drop" forgets)`,
  ];
}

export function deliveryLines(deliveries: readonly Delivery[], style: Style): string[] {
  return deliveries.map(
    ({ target, delivered, text }) =>
      `${style(delivered ? 'good' : 'bad', delivered ? 'told' : 'not told')}  ${target}: ${oneLine(text)}`,
  );
}
