/**
 * A state file of Terraform or OpenTofu (version 4): what the providers helm, kubernetes and vault keep in it. Pure.
 * Values of Secrets and passwords in it are dropped here.
 */
import { z } from 'zod';
import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { helmValues } from '../inputs/kubernetes-yaml.ts';
import { type Found, type FoundRelease, type FoundSecret, type LeftAlone, nothingInVault } from './found.ts';
import { scrubbed } from './scrub.ts';

const FORMAT = 4;

/** The file is none that can be read. Nothing of its content is in the message. */
export class StateFileError extends AnantaError {
  override name = 'StateFileError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
}

const attributesSchema = z.record(z.string(), z.unknown());
const resourceSchema = z.object({
  module: z.string().optional(),
  mode: z.string(),
  type: z.string(),
  name: z.string(),
  instances: z.array(
    z.object({
      index_key: z.union([z.string(), z.number()]).optional(),
      attributes: attributesSchema.nullish(),
      /** Of an object that was replaced and whose old one is not gone yet. */
      deposed: z.string().optional(),
    }),
  ),
});
const outputSchema = z.object({ value: z.unknown(), type: z.unknown(), sensitive: z.boolean().default(false) });
const stateSchema = z.object({
  version: z.literal(FORMAT),
  terraform_version: z.string().default('of an unknown version'),
  serial: z.number().default(0),
  outputs: z
    .record(z.string(), outputSchema)
    .nullish()
    .transform((outputs) => outputs ?? {}),
  resources: z
    .array(resourceSchema)
    .nullish()
    .transform((resources) => resources ?? []),
});

export type State = z.infer<typeof stateSchema>;
type Attributes = z.infer<typeof attributesSchema>;
interface Instance {
  address: string;
  type: string;
  attributes: Attributes;
}

/**
 * @param text of the file
 * @param file its name, for messages
 * @throws StateFileError for what is no state of version 4, and for an encrypted one
 */
export function parseState(text: string, file: string): State {
  const refuse = (why: string): StateFileError => new StateFileError(`${file} ${why}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refuse(
      text.startsWith('PK')
        ? 'is a saved plan, not a state: terraform state pull > FILE (or tofu state pull) writes the state.'
        : 'is no JSON: a state is what terraform state pull (or tofu state pull) writes.',
    );
  }
  if (!isTree(json)) throw refuse('is no state of Terraform or OpenTofu.');
  if ('encrypted_data' in json)
    throw refuse(
      'is encrypted by OpenTofu, and its key is not for the deployer: tofu state pull > FILE, with your encryption configured, writes it readable. Keep that file to yourself (chmod 600), and remove it afterwards.',
    );
  if ('format_version' in json)
    throw refuse('is what "terraform show -json" writes. Take the state itself: terraform state pull > FILE.');
  const { version } = json;
  if (version !== FORMAT)
    throw refuse(
      typeof version === 'number'
        ? `has version ${version} of the format: version ${FORMAT} is read (Terraform from 0.12 on, every OpenTofu).`
        : 'is no state of Terraform or OpenTofu: it has no version.',
    );
  const parsed = stateSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  // Where, and not what: the message of a check may hold what stands there.
  const where = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  throw refuse(`is not what Terraform writes: at ${where}.`);
}

/** @param state as it was parsed @param file its name, for messages */
export function foundInState(state: State, file: string): Found {
  const found: Found = {
    origin: `${file} (Terraform or OpenTofu ${state.terraform_version}, serial ${state.serial})`,
    releases: [],
    secrets: [],
    vault: nothingInVault(),
    others: [],
  };
  for (const instance of instancesOf(state)) {
    const read = READERS[instance.type.replace(/_v\d+$/, '')];
    if (read === undefined) found.others.push(otherResource(instance));
    else read(instance, found);
  }
  return found;
}

function instancesOf(state: State): Instance[] {
  return state.resources
    .filter(({ mode }) => mode === 'managed')
    .flatMap(({ module, type, name, instances }) =>
      instances
        .filter(({ deposed }) => deposed === undefined)
        .map(({ index_key: index, attributes }) => ({
          address: `${module === undefined ? '' : `${module}.`}${type}.${name}${index === undefined ? '' : `[${JSON.stringify(index)}]`}`,
          type,
          attributes: attributes ?? {},
        })),
    );
}

const READERS: Record<string, (instance: Instance, found: Found) => void> = {
  helm_release: (instance, { releases, others }) => {
    const release = releaseOf(instance);
    if ('why' in release) others.push(release);
    else releases.push(release);
  },
  kubernetes_secret: ({ address, attributes }, { secrets }) => {
    const { namespace, name } = objectName(attributes);
    const keys = [attributes['data'], attributes['binary_data']].flatMap((data) =>
      isTree(data) ? Object.keys(data) : [],
    );
    secrets.push({ namespace, name, keys: keys.sort(), source: address } satisfies FoundSecret);
  },
  // A namespace of the platform gets its labels with the first deployment, and is never deleted: it was not made here.
  kubernetes_namespace: () => undefined,
  vault_mount: ({ attributes }, { vault }) => {
    vault.mounts.push({ path: trimmed(attributes['path']), type: text(attributes['type']) });
  },
  vault_auth_backend: ({ attributes }, { vault }) => {
    vault.logins.push({ path: trimmed(attributes['path'] ?? attributes['type']), type: text(attributes['type']) });
  },
  vault_policy: ({ attributes }, { vault }) => {
    vault.policies.push(text(attributes['name']));
  },
  vault_kubernetes_auth_backend_role: ({ attributes }, { vault }) => {
    vault.roles.push({ mount: trimmed(attributes['backend'] ?? 'kubernetes'), name: text(attributes['role_name']) });
  },
  vault_kubernetes_auth_backend_config: () => undefined,
  vault_kv_secret: ({ attributes }, { vault }) => {
    // The second version of the engine says mount and name; its path has "data" in between.
    const { mount, name } = attributes;
    const path =
      typeof mount === 'string' && typeof name === 'string' ? `${mount}/${name}` : trimmed(attributes['path']);
    vault.secrets.push({ path, keys: keysIn(attributes) });
  },
  vault_generic_secret: ({ attributes }, { vault }) => {
    vault.secrets.push({ path: trimmed(attributes['path']), keys: keysIn(attributes) });
  },
};

/** Names alone, of whatever stands there. */
function keysIn({ data, data_json: json }: Attributes): string[] {
  if (isTree(data)) return Object.keys(data).sort();
  if (typeof json !== 'string') return [];
  try {
    const parsed: unknown = JSON.parse(json);
    return isTree(parsed) ? Object.keys(parsed).sort() : [];
  } catch {
    return [];
  }
}

function releaseOf({ address, attributes }: Instance): FoundRelease | LeftAlone {
  const metadata = first(attributes['metadata']);
  const name = text(metadata['name'] ?? attributes['name']);
  const values = valuesOf(attributes, metadata);
  if (values === undefined)
    return {
      what: `${address} (release ${name})`,
      why: 'its values cannot be read from the state: use --from live, which reads what Helm has recorded',
    };
  return {
    namespace: text(metadata['namespace'] ?? attributes['namespace'] ?? 'default'),
    name,
    chart: {
      // A chart's address is a path or a reference where it has no repository of its own.
      name: text(metadata['chart'] ?? attributes['chart']).replace(/^.*\//, ''),
      version: text(metadata['version'] ?? attributes['version']),
    },
    ...scrubbed(values),
    status: text(attributes['status'] ?? 'deployed'),
    by: 'terraform',
    source: address,
  };
}

/** What Helm was given in the end: the provider writes it down whole, with what is sensitive cloaked. */
function valuesOf(attributes: Attributes, metadata: Tree): Tree | undefined {
  const merged = metadata['values'];
  if (typeof merged === 'string') return tree(merged);
  const files = attributes['values'];
  const single = ['set', 'set_list', 'set_sensitive', 'set_wo'].some(
    (key) => Array.isArray(attributes[key]) && attributes[key].length > 0,
  );
  if (single) return undefined;
  const texts = Array.isArray(files) ? files.filter((file) => typeof file === 'string') : [];
  return texts.length > 1 ? undefined : tree(texts[0] ?? '{}');
}

function tree(values: string): Tree | undefined {
  try {
    const parsed = helmValues(values);
    return isTree(parsed) ? parsed : parsed === null || parsed === undefined ? {} : undefined;
  } catch {
    return undefined;
  }
}

function otherResource({ address, type, attributes }: Instance): LeftAlone {
  const kubernetes = /^(kubernetes|kubectl)_/.test(type);
  if (!kubernetes) return { what: address, why: 'is none of the platform: Terraform keeps it' };
  const { namespace, name } = objectName(attributes);
  return {
    what: `${address}${name === '' ? '' : ` (${namespace === '' ? '' : `${namespace}/`}${name})`}`,
    why: 'is an object that Terraform applies itself, of no release: it stays as it is, and Terraform keeps it',
  };
}

function objectName(attributes: Attributes): { namespace: string; name: string } {
  const metadata = first(attributes['metadata']);
  return { namespace: text(metadata['namespace']), name: text(metadata['name']) };
}

/** Blocks are lists of one in providers of the older kind, and objects in those of the newer one. */
function first(block: unknown): Tree {
  const value: unknown = Array.isArray(block) ? block[0] : block;
  return isTree(value) ? value : {};
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const trimmed = (value: unknown): string => text(value).replace(/\/+$/, '');
