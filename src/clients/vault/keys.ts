/**
 * The unseal keys and, only until Vault's initialisation is finished, the root token: kept as one record, which is
 * never half written.
 */
import { z } from 'zod';
import type { Redactor } from '../redact.ts';
import { tryJson } from '../../try-json.ts';

export const keysSchema = z.strictObject({
  version: z.literal(1),
  /** kube-system's uid of the cluster in which this Vault runs. */
  cluster: z.string(),
  initializedAt: z.string(),
  threshold: z.number().int().positive(),
  /** Base64, as Vault gives and takes them. */
  keys: z.array(z.string().min(1)).min(1),
  /** Keys of a Vault that a key service unseals: they make root tokens and do not unseal. */
  recovery: z.literal(true).optional(),
  /**
   * Names of the public key files to which the shares are encrypted, in their order. The deployer cannot use such
   * shares.
   */
  encryptedFor: z.array(z.string()).min(1).optional(),
  rootToken: z.string().min(1).optional(),
  /** The first root token as an OpenPGP message, for the owner of the environment's rootTokenKey. */
  encryptedRootToken: z.string().min(1).optional(),
});
export type VaultKeys = z.infer<typeof keysSchema>;

export interface KeyStore {
  /** For messages. */
  path: string;
  /** @returns undefined when there is no record. @throws Error when it is damaged */
  read(): Promise<VaultKeys | undefined>;
  /** Returns only when the keys would survive a power cut. */
  write(keys: VaultKeys): Promise<void>;
  /** Keys of a Vault that no longer exists are put aside, not deleted: a backup may need them. */
  putAside(): Promise<string>;
  /**
   * Text with values that wait for Vault, where they can lie beside the keys: a worker in the cluster finds them there.
   * Absent where the keys are in a file of this machine.
   */
  waiting?: { read(): Promise<string | undefined>; write(text: string | undefined): Promise<void> };
  /** A note, made before Vault is initialised and removed after its keys are kept. */
  attempt: {
    begin(cluster: string): Promise<void>;
    began(): Promise<boolean>;
    end(): Promise<void>;
    /** Machine of the worker that made the note, where it says so. */
    by?(): Promise<string | undefined>;
    /** For messages. */
    path: string;
  };
}

/** Whether the deployer itself can open Vault with them. */
export function opens(keys: VaultKeys): boolean {
  return keys.recovery === undefined && keys.encryptedFor === undefined;
}

/** @param place where it lies, for the message. @throws Error, which does not repeat the content: it is secret */
export function parseKeys(text: string, place: string, redactor: Redactor): VaultKeys {
  const parsed = keysSchema.safeParse(tryJson(text));
  if (!parsed.success)
    throw new Error(`The record of Vault's unseal keys, ${place}, is damaged. Restore it from a backup.`);
  registerKeys(parsed.data, redactor);
  return parsed.data;
}

/** Shares that are encrypted are no secret: people have to copy them. */
export function registerKeys(keys: VaultKeys, redactor: Redactor): void {
  redactor.learn(...(keys.encryptedFor === undefined ? keys.keys : []), keys.rootToken);
}
