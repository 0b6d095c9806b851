/** A notification in the form that its receiver shows. Pure. */

import type { Notification } from '../../contract/notifications.ts';
import type { NotifyFormat } from '../../environment/fields/notify-formats.ts';

/** What chat programs show of it. */
type Told = Pick<Notification, 'title' | 'lines' | 'url'>;

/** Chat programs refuse what is much longer. */
const MOST_CHARACTERS = 2900;

/**
 * @param earlier in the words of the time before there were targets: `deploy-failed`, and repairs as `drift`
 * @returns the body of the request
 */
export function formatted(
  format: NotifyFormat,
  notification: Notification,
  { earlier = false }: { earlier?: boolean } = {},
): string {
  if (format === 'slack') return JSON.stringify(slack(notification));
  if (format === 'teams') return JSON.stringify(teams(notification));
  return JSON.stringify(earlier ? inEarlierWords(notification) : notification);
}

function inEarlierWords({ id: _, operation, event, ...rest }: Notification): object {
  const then =
    event === 'failure' && (operation ?? 'deploy') === 'deploy'
      ? 'deploy-failed'
      : event === 'repair'
        ? 'drift'
        : event;
  return { event: then, ...rest };
}

function slack({ title, lines, url }: Told): object {
  const link = url === undefined ? [] : [`<${url}|Temporal UI>`];
  const section = (text: string): object => ({ type: 'section', text: { type: 'mrkdwn', text } });
  const body = cut(lines.map(escaped).join('\n'));
  return {
    text: escaped(title),
    blocks: [section(`*${escaped(title)}*`), ...(body === '' ? [] : [section(body)]), ...link.map(section)],
  };
}

/** As an Adaptive Card, which Workflows of Teams and its older webhooks take. */
function teams({ title, lines, url }: Told): object {
  const block = (text: string, more: object = {}): object => ({ type: 'TextBlock', text, wrap: true, ...more });
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            block(title, { weight: 'Bolder' }),
            ...cut(lines.join('\n'))
              .split('\n')
              .map((line) => block(line)),
          ],
          ...(url === undefined ? {} : { actions: [{ type: 'Action.OpenUrl', title: 'Temporal UI', url }] }),
        },
      },
    ],
  };
}

/** Slack takes these three for its own marks. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)} …`;
}
