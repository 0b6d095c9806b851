/** The part of an environment file that says who is notified of what. */
import { z } from 'zod';
import { NOTIFY_EVENTS } from '../../contract/notify-events.ts';
import { filePath, hostPort, webAddress } from './formats/addresses.ts';
import { labelName } from './formats/kubernetes-names.ts';
import { NOTIFY_FORMATS } from './notify-formats.ts';
import { valueReference as referenceSchema } from './formats/reference.ts';
import { isLoopback, listenAddress } from './telemetry.ts';
import { program, refuseRepetitions, seconds } from './formats/texts.ts';

/** An attempt has to end before the timeout of its activity. */
export const LONGEST_ATTEMPT_SECONDS = 100;

const command = program.describe('Program with arguments; gets a JSON object on standard input');
const format = z
  .enum(NOTIFY_FORMATS)
  .default('json')
  .describe('What the webhook gets: the JSON object, or a message as Slack or Microsoft Teams shows it');
const events = z
  .array(z.enum(NOTIFY_EVENTS))
  .superRefine(refuseRepetitions)
  .default(['gate', 'question', 'failure', 'drift'])
  .describe('What it is told of: start, gate, question, failure, end (well or not), drift, repair; [] is nothing');

const targetSchema = z
  .strictObject({
    url: z
      .union([webAddress('https://HOST/PATH'), referenceSchema])
      .optional()
      .describe('Of a webhook: by reference where knowing it is enough to write there, as with Slack and Teams'),
    command: command.optional(),
    format,
    events,
    headers: referenceSchema.optional().describe('HTTP headers, one Name: value a line, such as a token'),
    signingKey: referenceSchema.optional().describe('Key that the webhook is signed with (Standard Webhooks)'),
    links: z
      .boolean()
      .default(false)
      .describe('Whether whoever reads it there may answer questions by a link (notify.links)'),
  })
  .superRefine(({ url, command: started, headers, signingKey }, context) => {
    if ((url === undefined) === (started === undefined))
      context.addIssue({ code: 'custom', message: 'has to name either a url or a command' });
    if (started !== undefined && (headers ?? signingKey) !== undefined)
      context.addIssue({ code: 'custom', message: 'is a command, which gets neither headers nor a signature' });
  });

const linksSchema = z
  .strictObject({
    url: webAddress('https://HOST').describe(
      "Where people's browsers reach the workers' page of answers; /answer/… is added to it",
    ),
    key: referenceSchema.describe('Key that links are signed with, at least 32 characters'),
    listen: hostPort.describe(
      'host:port on which a worker takes answers; on loopback plainly, elsewhere over TLS or behind something that ends it',
    ),
    tls: z
      .strictObject({ cert: referenceSchema, key: referenceSchema })
      .optional()
      .describe('Certificate and key of that page, PEM'),
    proxied: z.boolean().default(false).describe('TLS ends at an Ingress or proxy in front of the workers'),
    from: labelName('a namespace')
      .optional()
      .describe('Namespace of that Ingress controller: workers in the target cluster let it in'),
  })
  .superRefine(({ url, listen, tls, proxied }, context) => {
    const local = isLoopback(listenAddress(listen));
    if (!local && tls === undefined && !proxied)
      context.addIssue({
        code: 'custom',
        path: ['listen'],
        message: 'can be reached from other machines: say tls, or proxied where TLS ends in front of the workers',
      });
    if (URL.canParse(url) && new URL(url).protocol === 'http:' && !isLoopback({ host: new URL(url).hostname, port: 0 }))
      context.addIssue({
        code: 'custom',
        path: ['url'],
        message: 'has to be https: the links in it are as good as words',
      });
  })
  .describe('Questions can be answered by signed links; targets with links: true get them');

export const notifySchema = z
  .strictObject({
    links: linksSchema.optional(),
    targets: z
      .record(
        z
          .string()
          .regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, 'has to be small letters, digits and dashes, at most 40'),
        targetSchema,
      )
      .refine((targets) => targets['webhook'] === undefined && targets['command'] === undefined, {
        message: 'names one webhook or command, which is what notify.webhook and notify.command are called',
      })
      .default({})
      .describe('Who is told, by a name of its own'),
    command: command.optional(),
    webhook: webAddress('https://HOST/PATH')
      .optional()
      .describe('Gets the same JSON object by POST; targets say more of one, and keep its address elsewhere'),
    headersFile: filePath
      .optional()
      .describe('File with HTTP headers for the webhook, one Name: value a line, such as a token'),
    format,
    signingKeyFile: filePath
      .optional()
      .describe(
        'File with a key: the webhook is signed with it (Standard Webhooks); the key never stands in this file',
      ),
    events,
    timeoutSeconds: seconds()
      .default(10)
      .describe(`Of one attempt; more than ${LONGEST_ATTEMPT_SECONDS} counts as ${LONGEST_ATTEMPT_SECONDS}`),
  })
  .superRefine(({ links, targets }, context) => {
    for (const [name, target] of Object.entries(targets))
      if (target.links && links === undefined)
        context.addIssue({
          code: 'custom',
          path: ['targets', name, 'links'],
          message: 'needs notify.links, which says with which key links are signed and where they lead',
        });
  })
  .prefault({})
  .describe('Who is told of operations and drift, and of what');
export type NotifySettings = z.infer<typeof notifySchema>;
export type AnswerSettings = z.infer<typeof linksSchema>;
