/** Who is notified of what, from the environment's file. Pure. */
import type { ToldEvent } from '../../contract/notifications.ts';
import type { NotifyEvent } from '../../contract/notify-events.ts';
import { type AnswerSettings, LONGEST_ATTEMPT_SECONDS, type NotifySettings } from '../../environment/fields/notify.ts';
import type { ValueReference } from '../../environment/fields/formats/reference.ts';
import type { NotifyFormat } from '../../environment/fields/notify-formats.ts';
import { isWanted } from './events.ts';

interface Common {
  name: string;
  events: readonly NotifyEvent[];
  timeoutSeconds: number;
  /** Gets links with which questions are answered, made so. */
  links?: AnswerSettings;
  /** Of the fields that were there before targets: gets the words of that time. */
  earlier?: true;
}
export interface CommandTarget extends Common {
  command: readonly string[];
}
export interface WebhookTarget extends Common {
  url: string | ValueReference;
  format: NotifyFormat;
  headers?: ValueReference;
  signingKey?: ValueReference;
  /** Field that names each reference, for messages. */
  fields: { url: string; headers: string; signingKey: string };
}
export type NotifyTarget = CommandTarget | WebhookTarget;

/** `command` and `webhook` of the file count as targets of these names. */
export function notifyTargets(notify: NotifySettings): NotifyTarget[] {
  const timeoutSeconds = Math.min(notify.timeoutSeconds, LONGEST_ATTEMPT_SECONDS);
  const { command, webhook, headersFile, signingKeyFile, format, events } = notify;
  const earlier = { events, timeoutSeconds, earlier: true } as const;
  return [
    ...(command === undefined ? [] : [{ ...earlier, name: 'command', command }]),
    ...(webhook === undefined
      ? []
      : [
          {
            ...earlier,
            name: 'webhook',
            url: webhook,
            format,
            ...(headersFile === undefined ? {} : { headers: { file: headersFile } }),
            ...(signingKeyFile === undefined ? {} : { signingKey: { file: signingKeyFile } }),
            fields: {
              url: 'notify.webhook',
              headers: 'notify.headersFile',
              signingKey: 'notify.signingKeyFile',
            },
          },
        ]),
    ...Object.entries(notify.targets).flatMap(([name, target]): NotifyTarget[] => {
      const common = {
        name,
        events: target.events,
        timeoutSeconds,
        ...(target.links && notify.links ? { links: notify.links } : {}),
      };
      if (target.command !== undefined) return [{ ...common, command: target.command }];
      if (target.url === undefined) return [];
      const field = `notify.targets.${name}`;
      return [
        {
          ...common,
          url: target.url,
          format: target.format,
          ...(target.headers === undefined ? {} : { headers: target.headers }),
          ...(target.signingKey === undefined ? {} : { signingKey: target.signingKey }),
          fields: { url: `${field}.url`, headers: `${field}.headers`, signingKey: `${field}.signingKey` },
        },
      ];
    }),
  ];
}

/** Every value that is kept elsewhere, with the field that names it. */
export function notifyReferences(notify: NotifySettings): { field: string; reference: ValueReference }[] {
  const { headersFile, signingKeyFile } = notify;
  const { links } = notify;
  return [
    ...(links === undefined ? [] : [{ field: 'notify.links.key', reference: links.key }]),
    ...(links?.tls === undefined
      ? []
      : [
          { field: 'notify.links.tls.cert', reference: links.tls.cert },
          { field: 'notify.links.tls.key', reference: links.tls.key },
        ]),
    ...(headersFile === undefined ? [] : [{ field: 'notify.headersFile', reference: { file: headersFile } }]),
    ...(signingKeyFile === undefined ? [] : [{ field: 'notify.signingKeyFile', reference: { file: signingKeyFile } }]),
    ...notifyTargets(notify).flatMap((target) => {
      if ('command' in target || target.earlier) return [];
      const { url, headers, signingKey, fields } = target;
      return [
        ...(typeof url === 'string' ? [] : [{ field: fields.url, reference: url }]),
        ...(headers === undefined ? [] : [{ field: fields.headers, reference: headers }]),
        ...(signingKey === undefined ? [] : [{ field: fields.signingKey, reference: signingKey }]),
      ];
    }),
  ];
}

export function wantsEvent({ events }: NotifyTarget, event: ToldEvent): boolean {
  return event === 'test' || isWanted(event, events);
}

/** Events that anybody wants; undefined where the environment names nobody. */
export function wantedEvents(notify: NotifySettings): NotifyEvent[] | undefined {
  const targets = notifyTargets(notify);
  return targets.length === 0 ? undefined : [...new Set(targets.flatMap(({ events }) => events))].sort();
}
