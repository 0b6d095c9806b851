import { type Command, Option } from 'commander';
import type { KeysOptions, RetireOptions, RotateOptions } from '../../codec/keys.ts';
import type { ServeOptions } from '../../codec/serve.ts';
import { collectText, parseDelay } from '../../shared/arguments.ts';
import { environmentCommand, plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';

export function codecCommand(context: CliContext): Command {
  const keys = environmentCommand('keys', {
    summary: 'list the keys of encrypted histories: which one encrypts, which are still needed',
    description:
      'Never shows a key. Without an answer of the engine it is not known which are still needed; the rest is shown all the same.',
    examples: [['codec keys --env prod', 'Can an old key be retired?']],
  })
    .option('--json', 'one JSON object on standard output')
    .action(async (options: KeysOptions) => {
      const { listKeys } = await import('../../codec/keys.ts');
      await listKeys(context, options);
    });
  const rotate = environmentCommand('rotate', {
    summary: 'make a key with which histories are encrypted from now on; the first one, too',
    changesHere: true,
    description: `Adds a key to the environment's file of keys (encryption.keysFile). What the older ones have encrypted is still
read with them. Operations that run go on, and write with the new key, too. Where workers run elsewhere the new key waits
for ten minutes, or as --in says, so that all of them have it before one writes with it.

Refused where the engine knows keys of this environment that are not in the file: it is another file, or was lost.`,
    examples: [
      ['codec rotate --env prod', 'A new key, in ten minutes.'],
      ['codec rotate --env prod --in 2h', 'The file goes to three machines by hand.'],
    ],
  })
    .option('--in <duration>', 'when it begins to encrypt: 0s, 15m, 2h', parseDelay)
    .option('--out <file>', 'with encryption.keysCommand: where all keys are written for its owner')
    .action(async (options: RotateOptions) => {
      const { rotateKey } = await import('../../codec/keys.ts');
      await rotateKey(context, options);
    });
  const retire = environmentCommand('retire', {
    summary: 'remove a key that no history needs any more, or that is lost',
    changesHere: true,
    description: `Takes a key out of the file and out of what the engine asks of workers. Refused while the engine keeps a workflow that
ran when the key encrypted. With --lost that is given up: what it has encrypted cannot be read any more. Nothing of the
platform depends on histories; what runs under them has to be ended first (docs/look-up/encryption.md).`,
    examples: [
      ['codec retire 20261130-183341-9f2c41 --env prod', 'Nothing needs it any more.'],
      ['codec retire 20261130-183341-9f2c41 --lost --env prod', 'It is gone, or was stolen.'],
    ],
  })
    .argument('<key>', 'as `codec keys` names it')
    .option('--lost', 'also where histories need it')
    .option('--out <file>', 'with encryption.keysCommand: where the keys that are left are written')
    .action(async (key: string, options: RetireOptions) => {
      const { retireKey } = await import('../../codec/keys.ts');
      await retireKey(context, key, options);
    });
  const serve = environmentCommand('serve', {
    summary: 'decrypt histories for the Temporal UI, and encrypt what is sent from there',
    description: `A codec server, as the Temporal UI and CLI know it (POST /decode and /encode), until Ctrl-C. On this machine's loopback it
answers who knows its whole address, which ends in a token; the UI of an embedded engine is started with it. On other addresses
it wants TLS, and answers whose own bearer token the environment's API server lets read (decode) or write (encode) ConfigMaps of
ananta-system: the token that the UI passes on. Browsers are answered on pages of the UI alone.`,
    examples: [
      ['codec serve --env sandbox', 'The UI of the sandbox shows plain texts.'],
      [
        'codec serve --env prod --listen 0.0.0.0:8443 --tls-cert tls.crt --tls-key tls.key --ui-origin https://temporal.example.com',
        "For a team, with everybody's own rights.",
      ],
    ],
  })
    .option('--listen <host:port>', 'default: where the UI of an embedded engine asks, else any free port of 127.0.0.1')
    .option('--ui-origin <url>', 'where the Temporal UI is, as in https://HOST; may be repeated', collectText)
    .option('--tls-cert <file>', 'certificate of this server, PEM')
    .option('--tls-key <file>', 'its key, PEM')
    .addOption(
      new Option('--authorize <how>', 'default: token on loopback, cluster elsewhere').choices(['token', 'cluster']),
    )
    .action(async (options: ServeOptions) => {
      const { serveCodec } = await import('../../codec/serve.ts');
      await serveCodec(context, options);
    });
  const codec = plainCommand('codec', {
    summary: 'keys of encrypted histories',
    description:
      'Where an environment says encryption, what the engine keeps of its operations is encrypted with keys of its own. docs/look-up/encryption.md',
    examples: [],
  })
    .usage('COMMAND [options]')
    .helpCommand(false);
  return codec.addCommand(keys).addCommand(rotate).addCommand(retire).addCommand(serve);
}
