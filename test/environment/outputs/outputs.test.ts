/** Typed outputs of Terraform as values of an environment: files that the real one has written (see main.tf). */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readConfig } from '../../../src/config.ts';
import { carriedFile } from '../../../src/environment/outputs/carried.ts';
import { outputsIn } from '../../../src/environment/outputs/file.ts';
import { interpolated, withoutReferences } from '../../../src/environment/outputs/interpolate.ts';
import { typedOutputs } from '../../../src/environment/outputs/read.ts';
import { terraformType } from '../../../src/environment/outputs/types.ts';
import { environmentFiles, loadEnvironment } from '../../../src/environment/load.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import { releaseInputs } from '../../../src/plan/inputs/release-inputs.ts';
import { findRelease } from '../../../src/plan/releases.ts';
import { secretOutputs } from '../../../src/cli/secrets/outputs.ts';
import { miniCatalog } from '../../support/mini.ts';

const HERE = import.meta.dirname;
const STATE = join(HERE, 'terraform.tfstate');
const JSON_FILE = join(HERE, 'outputs.json');
const SECRET = 's3cr3t-of-smtp';
const SOUND = `
description: for tests
platform: mini
cluster: { context: somewhere }
engine: { address: "temporal.example.org:7233", namespace: deployments }
charts: bundled
domain: example.org
images: { prefix: "\${outputs.shared.registry}" }
gitops: { repoURL: https://example.org/repo.git }
`;
const SOURCES = `
outputs:
  network:
    from: FROM
    types:
      vpc_id: string
      subnets: list(string)
      replicas: number
      database: "object({host = string, port = number})"
      smtp_password: string
  shared: { from: ${JSON_FILE}, types: { registry: string, labels: map(string) } }
replicas: { default: "\${outputs.network.replicas}" }
values:
  web:
    env: { VPC: "\${outputs.network.vpc_id}", SECOND: '\${outputs.network.subnets[1]}', LITERAL: "$\${outputs.x}" }
    at: "\${outputs.network.database.host}:\${outputs.network.database.port}"
    annotations: "\${outputs.shared.labels}"
`;

async function withFolder<T>(
  work: (load: (text: string) => Promise<Environment>, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'outputs-'));
  const config = { ...readConfig({}), environmentsDir: folder };
  try {
    return await work(async (text) => {
      await writeFile(join(folder, 'x.yaml'), text.replace('FROM', STATE));
      return loadEnvironment('x', config);
    }, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('outputs of Terraform', () => {
  test('stand in the places that name them, with their types, and change the digest of what they go into', async () => {
    await withFolder(async (load, folder) => {
      const environment = await load(SOUND + SOURCES);
      assert.equal(environment.images.prefix, 'registry.example/platform');
      assert.equal(environment.replicas.default, 2);
      assert.deepEqual(environment.values, {
        web: {
          env: { VPC: 'vpc-0a1b2c', SECOND: '10.0.2.0/24', LITERAL: '${outputs.x}' },
          at: 'db.example:5432',
          annotations: { cost: '42', team: 'platform' },
        },
      });
      assert.ok(!JSON.stringify(environment).includes(SECRET));

      const moved = join(folder, 'moved.tfstate');
      await writeFile(moved, (await readFile(STATE, 'utf8')).replaceAll('vpc-0a1b2c', 'vpc-other'));
      const other = await load(SOUND + SOURCES.replace('FROM', moved));
      const catalog = await miniCatalog();
      const digests = await Promise.all(
        [environment, other].flatMap((of) =>
          ['web', 'api'].map(async (name) => {
            const { digest } = await releaseInputs(catalog, of, findRelease(catalog, name), {}, readConfig({}));
            return digest;
          }),
        ),
      );
      assert.notEqual(digests[0], digests[2]);
      assert.equal(digests[1], digests[3]);
    });
  });

  for (const [what, text, says] of [
    [
      'a sensitive one as a plain value',
      `${SOUND}${SOURCES}    mail: "\${outputs.network.smtp_password}"\n`,
      /x\.yaml: values\.web\.mail: \$\{outputs\.network\.smtp_password\} is sensitive, and this file is no place for secrets/,
    ],
    [
      'another type',
      SOUND + SOURCES.replace('replicas: number', 'replicas: string'),
      /x\.yaml: outputs\.network\.types\.replicas: the output is no string: it has to be a text, not 2: write '2'/,
    ],
    [
      'another type within',
      SOUND + SOURCES.replace('port = number', 'port = bool'),
      /outputs\.network\.types\.database: the output is no object\(.*\): port has to be true or false, not 5432/,
    ],
    [
      'no such output',
      SOUND + SOURCES.replace('vpc_id: string', 'vpcid: string'),
      /outputs\.network\.types\.vpcid: the file has no such output, did you mean "vpc_id"\?/,
    ],
    [
      'no type',
      SOUND + SOURCES.replace('vpc_id: string', 'zones: set(string)'),
      /values\.web\.env\.VPC: \$\{outputs\.network\.vpc_id\}: outputs\.network\.types has no "vpc_id": say its type there/,
    ],
    [
      'no such source',
      SOUND + SOURCES.replace('outputs.network.vpc_id', 'outputs.netwrok.vpc_id'),
      /values\.web\.env\.VPC: .*outputs has no "netwrok", did you mean "network"\?/,
    ],
    [
      'no file',
      SOUND + SOURCES.replace('FROM', '/nowhere/a.tfstate'),
      /outputs\.network\.from: \/nowhere\/a\.tfstate is not there: terraform output -json > FILE/,
    ],
    ['a folder', SOUND + SOURCES.replace('FROM', '/tmp'), /outputs\.network\.from: \/tmp is no file/],
    [
      'a list within a text',
      `${SOUND}${SOURCES}    more: "a \${outputs.network.subnets}"\n`,
      /values\.web\.more: \$\{outputs\.network\.subnets\} is a list: it can only stand alone in a text/,
    ],
    [
      'a place that is not there',
      `${SOUND}${SOURCES}    more: "\${outputs.network.subnets[7]}"\n`,
      /values\.web\.more: .*there is nothing at 7 of this output/,
    ],
    [
      'no type of Terraform',
      SOUND + SOURCES.replace('vpc_id: string', 'vpc_id: text'),
      /outputs\.network\.types\.vpc_id: is no type of Terraform: write string, number, bool/,
    ],
    [
      'what fits the output and not the field',
      SOUND + SOURCES.replace('outputs.network.replicas', 'outputs.network.vpc_id'),
      /x\.yaml: replicas\.default: has to be a number, not "vpc-0a1b2c"/,
    ],
    [
      'a password in the place of one',
      `${SOUND}${SOURCES}    auth: { password: "\${outputs.network.vpc_id}" }\n`,
      /values\.web\.auth\.password: is no place for a secret/,
    ],
  ] as const)
    test(`refused: ${what}`, async () => {
      await withFolder(async (load) => {
        await assert.rejects(load(text), (error: Error) => {
          assert.match(error.message, says);
          assert.ok(!error.message.includes(SECRET));
          return true;
        });
      });
    });

  test('go along to workers in the cluster, without what is sensitive and without the file of Terraform', async () => {
    await withFolder(async (load, folder) => {
      const here = await load(SOUND + SOURCES);
      const config = { ...readConfig({}), environmentsDir: folder };
      const files = await environmentFiles('x', config);
      assert.deepEqual(Object.keys(files), ['x.yaml', carriedFile('x')]);
      assert.ok(!JSON.stringify(files).includes(SECRET));
      assert.ok(!JSON.stringify(files).includes('"zones"'));
      await writeFile(join(folder, carriedFile('x')), files[carriedFile('x')] ?? '');
      const there = await load((SOUND + SOURCES).replace('FROM', '/nowhere/a.tfstate'));
      assert.deepEqual(there.values, here.values);
      await writeFile(join(folder, carriedFile('x')), '{"network":[]}');
      await assert.rejects(load(SOUND + SOURCES), /x\.outputs\.json: is not what install has written/);
    });
  });

  test('sensitive ones go into Vault by reference', async () => {
    await withFolder(async (load) => {
      const environment = await load(SOUND + SOURCES);
      const of = (output: string): ReturnType<typeof secretOutputs> =>
        secretOutputs(environment, [{ path: 'apps/mail', key: 'password', output }], readConfig({}));
      assert.deepEqual(await of('network.smtp_password'), {
        'apps/mail': { password: { value: SECRET, from: 'output network.smtp_password' } },
      });
      for (const [output, says] of [
        ['netwrok.smtp_password', /have no "netwrok", did you mean "network"/],
        ['network.smtp', /types has no "smtp"/],
        ['network.replicas', /holds no text there/],
        ['network', /types has no ""/],
      ] as const)
        await assert.rejects(of(output), says);
    });
  });

  for (const [what, text, expected] of [
    ['no JSON', 'x', /holds no JSON object/],
    ['a list', '[]', /holds no JSON object/],
    ['an encrypted state', '{"encrypted_data":"x"}', /OpenTofu has encrypted: tofu output -json/],
    ['show -json', '{"format_version":"1.0"}', /terraform show -json/],
    ['an old state', '{"version":3,"modules":[]}', /has version 3/],
    ['something else', '{"a":"secret"}', /^is not what Terraform writes, at a$/],
  ] as const)
    test(`a file with ${what} is refused`, () => {
      const read = outputsIn(text);
      assert.match(typeof read === 'string' ? read : 'accepted', expected);
    });

  test('a state without outputs has none', () => {
    assert.deepEqual(outputsIn('{"version":4,"outputs":null}'), {});
  });
});

describe('types of Terraform', () => {
  for (const [type, fits, unfit] of [
    ['string', ['', 'a'], [1, null, ['a']]],
    ['number', [0, 1.5], ['1', 2 ** 60]],
    ['bool', [true], ['true', 1]],
    ['any', [0, 'a', { a: [] }], [null]],
    ['list(string)', [[], ['a']], ['a', [1], { a: 'b' }]],
    ['set( list(number) )', [[[1], []]], [[1]]],
    ['map(any)', [{ a: 1 }], [[1], 'a']],
    ['tuple([string, number])', [['a', 1]], [['a'], ['a', 'b']]],
    [
      'object({a = string, b = optional(number)})',
      [{ a: 'x' }, { a: 'x', b: null, c: 1 }],
      [{ b: 1 }, { a: 'x', b: 'y' }],
    ],
    ['object({"a": string})', undefined, undefined],
    ['list', undefined, undefined],
    ['list(string', undefined, undefined],
    ['string)', undefined, undefined],
    ['toString', undefined, undefined],
    [`${'list('.repeat(40)}string${')'.repeat(40)}`, undefined, undefined],
  ] as const)
    test(type.slice(0, 60), () => {
      const { check, problem } = terraformType(type);
      assert.equal(check === undefined, fits === undefined, problem);
      for (const value of fits ?? []) assert.ok(check?.safeParse(value).success, JSON.stringify(value));
      for (const value of unfit ?? []) assert.ok(!check?.safeParse(value).success, JSON.stringify(value));
    });

  test('attributes that an object does not name are dropped', () => {
    const { values } = typedOutputs(
      { a: { value: { x: 'y', more: 1 }, sensitive: false } },
      { a: 'object({x = string})' },
    );
    assert.deepEqual(values, { a: { x: 'y' } });
  });
});

test('keys of groups, `from` and `extends` are left as they are', () => {
  const tree = { outputs: { a: { from: '${outputs.a.b}' } }, extends: '${outputs.a.b}', '${outputs.a.b}': [1] };
  assert.deepEqual(interpolated(tree, { a: { b: 'x' } }), { tree, findings: [] });
});

test('what is written down again is read as it was, also what only looks like a reference', () => {
  const values = { plain: 'x', whole: '${outputs.a.b}', within: ['a ${outputs} b', '$${outputs.a.b}', '${outputsX}'] };
  const { tree, findings } = interpolated(withoutReferences({ values }) as { values: typeof values }, {});
  assert.deepEqual([tree, findings], [{ values }, []]);
});
