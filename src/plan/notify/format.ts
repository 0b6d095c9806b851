/** A notification in the form that its receiver shows. Pure. */

import type { AnswerLink, ToldNotification } from '../../contract/notifications.ts';
import type { NotifyFormat } from '../../environment/fields/notify-formats.ts';

/** What chat programs show of it. */
type Content = Pick<ToldNotification, 'title' | 'lines' | 'url' | 'answers'>;

/** Chat programs refuse what is much longer. */
const MOST_CHARACTERS = 2900;

/**
 * @param earlier in the words of the time before there were targets: `deploy-failed`, and repairs as `drift`
 * @returns the body of the request
 */
export function formatted(
  format: NotifyFormat,
  notification: ToldNotification,
  { earlier = false }: { earlier?: boolean } = {},
): string {
  if (format === 'slack') return JSON.stringify(slack(notification));
  if (format === 'teams') return JSON.stringify(teams(notification));
  return JSON.stringify(earlier ? inEarlierWords(notification) : notification);
}

function inEarlierWords({ id: _, answers: _answers, operation, event, ...rest }: ToldNotification): object {
  const then =
    event === 'failure' && (operation ?? 'deploy') === 'deploy'
      ? 'deploy-failed'
      : event === 'repair'
        ? 'drift'
        : event;
  return { event: then, ...rest };
}

function slack({ title, lines, url, answers = [] }: Content): object {
  const links = [
    ...(answers.length === 0 ? [] : [answers.map((answer) => `<${answer.url}|${escaped(answer.label)}>`).join('   ')]),
    ...(url === undefined ? [] : [`<${url}|Temporal UI>`]),
  ];
  const section = (text: string): object => ({ type: 'section', text: { type: 'mrkdwn', text } });
  const body = cut(lines.map(escaped).join('\n'));
  return {
    text: escaped(title),
    blocks: [section(`*${escaped(title)}*`), ...(body === '' ? [] : [section(body)]), ...links.map(section)],
  };
}

/** As an Adaptive Card, which Workflows of Teams and its older webhooks take. */
function teams({ title, lines, url, answers = [] }: Content): object {
  const open = ({ label, url: address }: Pick<AnswerLink, 'label' | 'url'>): object => ({
    type: 'Action.OpenUrl',
    title: label,
    url: address,
  });
  const actions = [...answers, ...(url === undefined ? [] : [{ label: 'Temporal UI', url }])].map(open);
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
          ...(actions.length === 0 ? {} : { actions }),
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
