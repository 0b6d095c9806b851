import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Environment } from '../../../src/environment/schema.ts';
import type { Seal } from '../../../src/environment/fields/vault.ts';
import { findService } from '../../../src/plan/releases.ts';
import { checkVaultServer, leavingServers, serverReason } from '../../../src/plan/vault/server.ts';
import type { ObservedVaultServer } from '../../../src/plan/observed.ts';
import { bundledVaultValues, upstreamVaultValues, vaultHcl } from '../../../src/plan/vault/values.ts';
import { miniCatalog, miniEnvironment } from '../../support/mini.ts';

const vault = { ...findService(await miniCatalog(), 'vault'), chart: { bundled: 'vault', upstream: 'vault' } };
const SEAL: Seal = {
  type: 'transit',
  parameters: { address: 'https://vault.example', key_name: 'unseal', mount_path: 'transit/' },
  credentials: { secret: 'vault-seal', keys: ['VAULT_TOKEN'] },
  serviceAccountAnnotations: {},
};
const FILE = 'disable_mlock = true\n    ui = true\n    storage "file" {\n      path = "/vault/data"\n    }';
let sandbox: Environment;
before(async () => {
  sandbox = await miniEnvironment();
});

const wanting = (over: Partial<Environment['vault']>, more: Partial<Environment> = {}): Environment => ({
  ...sandbox,
  ...more,
  vault: { ...sandbox.vault, ...over },
});
const raft = (over: Parameters<typeof wanting>[0] = {}): string =>
  vaultHcl(vault, wanting(over).vault, 'vault-headless', { mlock: 'said' });

describe('what cannot be changed over a Vault that is there', () => {
  const CASES: [
    name: string,
    seen: () => ObservedVaultServer,
    wanted: () => Environment,
    refused: RegExp | undefined,
  ][] = [
    ['nothing', () => ({ replicas: 1, outdatedPods: 0, configuration: raft() }), () => wanting({}), undefined],
    [
      'one server on raft to three: they join',
      () => ({ replicas: 1, outdatedPods: 0, configuration: raft() }),
      () => wanting({ replicas: 3 }),
      undefined,
    ],
    [
      'three servers to one: two leave raft first',
      () => ({ replicas: 3, outdatedPods: 0, configuration: raft({ replicas: 3 }) }),
      () => wanting({}),
      undefined,
    ],
    [
      "three servers to one of the publisher's chart, which has no raft",
      () => ({ replicas: 3, outdatedPods: 0, configuration: raft({ replicas: 3 }) }),
      () => wanting({}, { charts: 'upstream' }),
      /Vault runs 3 servers on raft.*in files and would begin empty.*Keep vault\.replicas: 3/,
    ],
    [
      "five servers of the publisher's chart to three",
      () => ({ replicas: 5, outdatedPods: 0, configuration: raft({ replicas: 5 }) }),
      () => wanting({ replicas: 3 }, { charts: 'upstream' }),
      undefined,
    ],
    [
      'one server on files stays',
      () => ({ replicas: 1, outdatedPods: 0, configuration: FILE }),
      () => wanting({}, { charts: 'upstream' }),
      undefined,
    ],
    [
      'one server on files to three',
      () => ({ replicas: 1, outdatedPods: 0, configuration: FILE }),
      () => wanting({ replicas: 3 }, { charts: 'upstream' }),
      /in files.*3 servers on raft cannot read them.*vault operator migrate/,
    ],
    [
      'keys to a key service',
      () => ({ replicas: 1, outdatedPods: 0, configuration: raft() }),
      () => wanting({ seal: SEAL }),
      /opened by its unseal keys, and environment "sandbox" asks for the key service transit.*unseal -migrate/,
    ],
    [
      'a key service to keys',
      () => ({ replicas: 1, outdatedPods: 0, configuration: raft({ seal: SEAL }) }),
      () => wanting({}),
      /opened by the key service transit, and .* asks for its unseal keys/,
    ],
    [
      'the same key service',
      () => ({ replicas: 1, outdatedPods: 0, configuration: raft({ seal: SEAL }) }),
      () => wanting({ seal: SEAL }),
      undefined,
    ],
    [
      'a configuration that could not be read',
      () => ({ replicas: 1, outdatedPods: 0 }),
      () => wanting({ seal: SEAL }),
      undefined,
    ],
  ];
  for (const [name, seen, wanted, refused] of CASES) {
    test(name, () => {
      const check = (): void => {
        checkVaultServer(wanted(), vault, seen());
      };
      if (refused) assert.throws(check, { name: 'PlanRefusedError', message: refused });
      else assert.doesNotThrow(check);
    });
  }

  test('the last servers leave, the last of them first', () => {
    const leaving = (replicas: number, wanted: number): string[] =>
      leavingServers(vault, { replicas, outdatedPods: 0 } as ObservedVaultServer, wanted);
    assert.deepEqual(leaving(5, 3), ['vault-4', 'vault-3']);
    assert.deepEqual(leaving(3, 1), ['vault-2', 'vault-1']);
    assert.deepEqual([leaving(3, 3), leaving(1, 3), leavingServers(vault, undefined, 1)], [[], [], []]);
  });

  test('no Vault yet: everything can be asked for', () => {
    assert.doesNotThrow(() => {
      checkVaultServer(wanting({ replicas: 5, seal: SEAL }), vault, undefined);
    });
    assert.deepEqual([serverReason(undefined), serverReason({ replicas: 3, outdatedPods: 0 })], [undefined, undefined]);
  });
});

describe("values of Vault's release", () => {
  test('one server that the deployer opens: the charts say it all', () => {
    assert.deepEqual([bundledVaultValues(vault, wanting({})), upstreamVaultValues(vault, wanting({}))], [{}, {}]);
  });

  test('several find each other by the names of their pods', () => {
    assert.deepEqual(
      raft({ replicas: 3 }).match(/leader_api_addr = "[^"]+"/g),
      [0, 1, 2].map((index) => `leader_api_addr = "http://vault-${index}.vault-headless:8200"`),
    );
    assert.doesNotMatch(raft(), /retry_join|seal/);
  });

  test('a key service is named with its parameters; what is secret comes from a Secret, by name', () => {
    assert.match(
      raft({ seal: SEAL }),
      /seal "transit" \{\n {2}address = "https:\/\/vault\.example"\n {2}key_name = "unseal"\n {2}mount_path = "transit\/"\n\}/,
    );
    assert.deepEqual(bundledVaultValues(vault, wanting({ seal: SEAL }))['envFromSecret'], {
      VAULT_TOKEN: { name: 'vault-seal', key: 'VAULT_TOKEN' },
    });
    assert.deepEqual(upstreamVaultValues(vault, wanting({ seal: SEAL }))['extraSecretEnvironmentVars'], [
      { envName: 'VAULT_TOKEN', secretName: 'vault-seal', secretKey: 'VAULT_TOKEN' },
    ]);
  });

  test('a parameter cannot end its line and begin another setting', () => {
    const seal: Seal = {
      ...SEAL,
      type: 'transit',
      parameters: { address: 'https://vault.example', key_name: 'a"\n}\ndisable_sealwrap = "', mount_path: 'transit/' },
    };
    assert.equal(
      raft({ seal })
        .split('\n')
        .filter((line) => line.startsWith('}')).length,
      3,
    );
  });

  test('TLS: the certificate in the pods, everything inside of them over https, one server on raft, too', () => {
    const values = bundledVaultValues(vault, wanting({ replicas: 3, tls: { secret: 'vault-tls' } }));
    const hcl = (values['files'] as { config: Record<string, string> }).config['vault.hcl']!;
    assert.doesNotMatch(hcl, /tls_disable|http:\/\//);
    assert.match(hcl, /tls_cert_file {3}= "\/vault\/tls\/tls\.crt"/);
    assert.equal(hcl.match(/leader_ca_cert_file = "\/vault\/tls\/ca\.crt"/g)?.length, 3);
    assert.deepEqual(
      [values['volumes'], (values['env'] as Record<string, string>)['VAULT_CACERT']],
      [[{ name: 'tls', secret: { secretName: 'vault-tls', defaultMode: 0o440 } }], '/vault/tls/ca.crt'],
    );
    for (const address of Object.values(values['env'] as Record<string, string>).filter((text) => text.includes(':')))
      assert.match(address, /^https:/);
    assert.deepEqual((values['probes'] as { readiness: object }).readiness, { httpGet: { scheme: 'HTTPS' } });
    const single = upstreamVaultValues(vault, wanting({ tls: { secret: 'vault-tls' } }));
    assert.deepEqual(
      [single['standalone'], single['extraEnvironmentVars'], (single['ha'] as { replicas: number }).replicas],
      [{ enabled: false }, { VAULT_CACERT: '/vault/tls/ca.crt' }, 1],
    );
  });
});
