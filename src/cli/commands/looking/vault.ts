import type { Command } from 'commander';
import { environmentCommand, plainCommand } from '../../shared/command.ts';
import type { CliContext } from '../../shared/context.ts';
import type { VaultOptions } from '../../vault/vault.ts';

export function vaultCommand(context: CliContext): Command {
  const status = environmentCommand('status', {
    summary: 'show each server of Vault: sealed or open, active or standby, shares given',
    description:
      'Asks each server of Vault through the Kubernetes API, and says where its shares are kept and who owns them. Changes nothing.\n\nExit code 0: all are open. Exit code 1: one is sealed, or there is none.',
    examples: [['vault status --env prod', 'Is it open, and if not, how many shares are missing?']],
  })
    .option('--json', 'one JSON object on standard output')
    .action(async (options: VaultOptions) => {
      const { vaultStatus } = await import('../../vault/vault.ts');
      context.finish(await vaultStatus(context, options));
    });
  const unseal = environmentCommand('unseal', {
    summary: 'give one share of the unseal key, as its owner',
    changesHere: true,
    description: `Where the environment says vault.keys.publicKeys, each share is encrypted to one person, and a sealed Vault waits until
enough of them have given theirs. Reads one decrypted share from the terminal (not shown) or from standard input, never from the
command line, and hands it to every server that is sealed. It is stored nowhere. A deployment that waits goes on by itself.

Exit code 0: all servers are open. Exit code 2: the share was taken, more are needed. Exit code 3: nothing is sealed, or Vault does not know this share.`,
    examples: [
      ['vault unseal --env prod', 'Asks for the share.'],
      ['vault unseal --env prod < share.txt', 'From a file.'],
    ],
  }).action(async (options: VaultOptions) => {
    const { vaultUnseal } = await import('../../vault/vault.ts');
    context.finish(await vaultUnseal(context, options));
  });
  const shares = environmentCommand('shares', {
    summary: 'print the encrypted shares, each with its owner',
    description:
      "Shares that Vault has encrypted to the operators' public keys (vault.keys.publicKeys) are no secret: each can be read by its owner alone.\nNothing is printed where they are not encrypted.",
    examples: [
      [
        "vault shares --env prod --json | jq -r '.shares[0].share' | base64 -d | gpg --decrypt",
        'The first owner decrypts their share.',
      ],
    ],
  })
    .option('--json', 'one JSON object on standard output')
    .action(async (options: VaultOptions) => {
      const { vaultShares } = await import('../../vault/vault.ts');
      await vaultShares(context, options);
    });
  const root = environmentCommand('root', {
    summary: 'hand in a root token that the next deployment needs, from standard input',
    changesHere: true,
    description: `Where people hold the shares, nobody else can make a root token: when Vault has to be configured as root (its first deployment
with vault.keys.rootTokenKey, or a deployer role that was lost), the deployment waits for one. It is made with \`vault operator
generate-root\`, read here from standard input, used once and revoked.`,
    examples: [['vault root --env prod', 'Asks for the token.']],
  }).action(async (options: VaultOptions) => {
    const { vaultRoot } = await import('../../vault/vault.ts');
    await vaultRoot(context, options);
  });
  const prepare = environmentCommand('prepare', {
    summary: 'print what the operators of an external Vault set up once',
    description:
      'Prints the commands that give the deployer its place in a Vault that others run (vault.external): KV, logins with Kubernetes identities, its policy and its role. Run them there as an administrator, after the first deployment has made the identities. Changes nothing itself.',
    examples: [['vault prepare --env staging > prepare.sh', 'For those who run that Vault.']],
  }).action(async (options: VaultOptions) => {
    const { vaultPrepare } = await import('../../vault/prepare.ts');
    await vaultPrepare(context, options);
  });
  const vault = plainCommand('vault', {
    summary: 'look at the servers of Vault, unseal them as one of several people',
    description: 'Where shares are encrypted to people, or one wants to know why a deployment waits.',
    examples: [],
  })
    .usage('COMMAND [options]')
    .helpCommand(false);
  return vault.addCommand(status).addCommand(unseal).addCommand(shares).addCommand(root).addCommand(prepare);
}
