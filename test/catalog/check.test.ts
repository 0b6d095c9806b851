import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CatalogError, checkCatalog } from '../../src/catalog/index.ts';
import { validateCatalog } from '../../src/catalog/validate.ts';
import { type SampleCatalog, sampleCatalog, sampleService, serviceIn } from './sample.ts';

interface Refusal {
  name: string;
  break: (catalog: SampleCatalog) => void;
  file: string;
  field: string;
  message: string;
}

const APP_PLANE = 'src/catalog/services/app-plane.ts';

const REFUSALS: Refusal[] = [
  {
    name: 'unknown dependency',
    break: (c) => {
      serviceIn(c, 'web').dependsOn = ['apii'];
    },
    file: APP_PLANE,
    field: 'web.dependsOn',
    message: 'unknown service "apii", did you mean "api"?',
  },
  {
    name: 'unknown partner',
    break: (c) => {
      serviceIn(c, 'web').talksTo = ['nobody'];
    },
    file: APP_PLANE,
    field: 'web.talksTo',
    message: 'unknown service "nobody"',
  },
  {
    name: 'cycle',
    break: (c) => {
      serviceIn(c, 'db').dependsOn = ['vault', 'web'];
    },
    file: APP_PLANE,
    field: 'db.dependsOn',
    message: 'dependency cycle: db → web → api → migrate → db',
  },
  {
    name: 'service that depends on itself',
    break: (c) => {
      serviceIn(c, 'web').dependsOn = ['api', 'web'];
    },
    file: APP_PLANE,
    field: 'web.dependsOn',
    message: 'dependency cycle: web → web',
  },
  {
    name: 'NodePort used twice',
    break: (c) => {
      serviceIn(c, 'api').ports = [{ name: 'http', port: 80, containerPort: 8080, nodePort: 31000, protocol: 'http' }];
    },
    file: APP_PLANE,
    field: 'web.ports.http.nodePort',
    message: 'NodePort 31000 is used by api and by web',
  },
  {
    name: 'public host used twice',
    break: (c) => {
      serviceIn(c, 'api').ports = [{ name: 'http', port: 80, containerPort: 8080, protocol: 'http' }];
      for (const name of ['api', 'web']) serviceIn(c, name).publicHost = { name: 'shop', port: 'http' };
    },
    file: APP_PLANE,
    field: 'web.publicHost.name',
    message: 'public host shop is used by api and by web',
  },
  {
    name: 'public host of a port that is not there',
    break: (c) => {
      serviceIn(c, 'web').publicHost = { name: 'shop', port: 'https' };
    },
    file: APP_PLANE,
    field: 'web.publicHost.port',
    message: 'the service has no HTTP port "https"',
  },
  {
    name: 'number used twice',
    break: (c) => {
      serviceIn(c, 'web').number = 103;
    },
    file: APP_PLANE,
    field: 'web.number',
    message: 'number 103 is used by api and by web',
  },
  {
    name: 'name used twice',
    break: (c) => {
      c.services.push(sampleService('web', 105));
    },
    file: APP_PLANE,
    field: 'web.name',
    message: 'release name web is used twice',
  },
  {
    name: 'step named like a service',
    break: (c) => {
      serviceIn(c, 'web').after = [{ kind: 'release', name: 'api', chart: 'job', job: true, startupSeconds: 1 }];
    },
    file: APP_PLANE,
    field: 'web.steps',
    message: 'release name api is used by api and by web',
  },
  {
    name: 'unknown secret path',
    break: (c) => {
      serviceIn(c, 'api').secrets = [{ path: 'database/mian', delivery: 'kubernetes' }];
    },
    file: APP_PLANE,
    field: 'api.secrets',
    message: 'unknown secret path "database/mian", did you mean "database/main"?',
  },
  {
    name: 'unknown secret key',
    break: (c) => {
      serviceIn(c, 'api').secrets = [{ path: 'database/main', delivery: 'kubernetes', keys: ['pasword'] }];
    },
    file: APP_PLANE,
    field: 'api.secrets',
    message: 'unknown key "pasword", did you mean "password"? of secret path database/main',
  },
  {
    name: 'unknown secret path of a step',
    break: (c) => {
      serviceIn(c, 'db').after = [
        {
          kind: 'release',
          name: 'db-databases',
          chart: 'job',
          job: true,
          secrets: [{ path: 'a/b', delivery: 'kubernetes' }],
          startupSeconds: 1,
        },
      ];
    },
    file: APP_PLANE,
    field: 'db.db-databases.secrets',
    message: 'unknown secret path "a/b"',
  },
  {
    name: 'secrets without Vault',
    break: (c) => {
      serviceIn(c, 'db').dependsOn = [];
    },
    file: APP_PLANE,
    field: 'db.dependsOn',
    message: 'reads database/main, but does not depend on vault, neither directly nor through others',
  },
  {
    name: 'namespace missing',
    break: (c) => {
      serviceIn(c, 'web').namespace = 'app';
    },
    file: APP_PLANE,
    field: 'web.namespace',
    message: 'unknown namespace "app", did you mean "apps"?',
  },
  {
    name: 'unknown database',
    break: (c) => {
      serviceIn(c, 'api').databases = ['db/other'];
    },
    file: APP_PLANE,
    field: 'api.databases',
    message: 'unknown database "db/other"',
  },
  {
    name: 'database of a server that it does not wait for',
    break: (c) => {
      serviceIn(c, 'web').dependsOn = ['vault'];
      serviceIn(c, 'web').databases = ['db/main'];
    },
    file: APP_PLANE,
    field: 'web.dependsOn',
    message: 'connects to db/main, but does not depend on db, neither directly nor through others',
  },
  {
    name: 'unknown upstream chart',
    break: (c) => {
      serviceIn(c, 'db').chart = { bundled: 'postgresql', upstream: 'postgres' };
    },
    file: APP_PLANE,
    field: 'db.chart.upstream',
    message: 'unknown upstream chart "postgres", did you mean "postgresql"?',
  },
  {
    name: 'phase that does not exist',
    break: (c) => {
      serviceIn(c, 'web').phase = 3;
    },
    file: APP_PLANE,
    field: 'web.phase',
    message: 'there is no phase 3',
  },
  {
    name: 'health on a port nobody opens',
    break: (c) => {
      serviceIn(c, 'web').health = { kind: 'tcp', port: 9999 };
    },
    file: APP_PLANE,
    field: 'web.health.port',
    message: 'no port of the service leads to container port 9999',
  },
  {
    name: "Job with a server's health",
    break: (c) => {
      serviceIn(c, 'web').kind = 'job';
    },
    file: APP_PLANE,
    field: 'web.health',
    message: 'a Job, and nothing but a Job, is healthy by completing',
  },
  {
    name: 'port twice',
    break: (c) => {
      const { ports } = serviceIn(c, 'api');
      ports.push({ name: 'other', port: 80, containerPort: 8081, protocol: 'http' });
    },
    file: APP_PLANE,
    field: 'api.ports',
    message: 'port 80 is used twice',
  },
  {
    name: 'secret path twice',
    break: (c) => {
      const [first] = c.secretPaths;
      if (first) c.secretPaths.push(first);
    },
    file: 'src/catalog/secrets.ts',
    field: 'secretPaths',
    message: '"database/main" stands here twice',
  },
  {
    name: 'token signed with a missing key',
    break: (c) => {
      c.secretPaths[0]?.keys.push({ kind: 'jwt', name: 'anon', signedWith: 'nothing', claims: {} });
    },
    file: 'src/catalog/secrets.ts',
    field: 'database/main.anon',
    message: 'is made from database/main nothing, which does not exist',
  },
  {
    name: 'copy of a missing key',
    break: (c) => {
      c.secretPaths[0]?.keys.push({ kind: 'copy', name: 'twin', from: { path: 'app/token', key: 'nothing' } });
    },
    file: 'src/catalog/secrets.ts',
    field: 'database/main.twin',
    message: 'is made from app/token nothing, which does not exist',
  },
  {
    name: 'database on an unknown server',
    break: (c) => {
      c.databases.push({ server: 'dbb', name: 'x', owner: 'x', password: { path: 'database/main', key: 'password' } });
    },
    file: 'src/catalog/databases.ts',
    field: 'databases.x.server',
    message: 'unknown service "dbb", did you mean "db"?',
  },
  {
    name: 'database without a password',
    break: (c) => {
      c.databases.push({ server: 'db', name: 'x', owner: 'x', password: { path: 'database/main', key: 'nothing' } });
    },
    file: 'src/catalog/databases.ts',
    field: 'databases.x.password',
    message: 'unknown secret database/main nothing',
  },
  {
    name: 'migration of an unknown database',
    break: (c) => {
      c.migrations.push({ service: 'migrate', database: 'db/nothing', location: 'x' });
    },
    file: 'src/catalog/databases.ts',
    field: 'migrations.migrate.database',
    message: 'unknown database "db/nothing"',
  },
  {
    name: 'buckets without a Job',
    break: (c) => {
      c.bucketSets.push({ server: 'db', job: 'nobody', buckets: ['one'] });
    },
    file: 'src/catalog/init.ts',
    field: 'bucketSets.db.job',
    message: 'unknown release "nobody"',
  },
  {
    name: 'client of an unknown service',
    break: (c) => {
      c.realm.clients.push({ clientId: 'x', service: 'nobody', public: true });
    },
    file: 'src/catalog/init.ts',
    field: 'realm.clients.x',
    message: 'unknown service "nobody"',
  },
  {
    name: 'a phase with more services than its workflow could carry',
    break: (c) => {
      const { phase } = serviceIn(c, 'web');
      for (let number = 1000; number <= 2500; number += 1)
        c.services.push(sampleService(`many-${number}`, number, { phase }));
    },
    file: 'src/catalog/phases.ts',
    field: 'phases.1',
    message: '"Everything" has 1506 services, and a phase may have 1500: divide it into several phases',
  },
  {
    name: 'application of an unknown namespace',
    break: (c) => {
      c.applicationSet.namespaces.push('nowhere');
    },
    file: 'src/catalog/namespaces.ts',
    field: 'applicationSet.namespaces',
    message: 'unknown namespace "nowhere"',
  },
];

function problemsOf(catalog: unknown): CatalogError['problems'] {
  try {
    checkCatalog(catalog);
  } catch (error) {
    assert.ok(error instanceof CatalogError);
    return error.problems;
  }
  return [];
}

describe('catalog checks', () => {
  test('a sound catalog has no problems', () => {
    assert.deepEqual(problemsOf(sampleCatalog()), []);
  });

  test('a platform of an earlier version says vault-bootstrap where it is vault-init now', () => {
    const catalog = sampleCatalog();
    const { after = [] } = serviceIn(catalog, 'vault');
    catalog.services = catalog.services.map((service) => ({
      ...service,
      after: (service.after ?? []).map((step) =>
        step.kind === 'vault-init' ? { ...step, kind: 'vault-bootstrap' } : step,
      ),
    }));
    assert.deepEqual(problemsOf(catalog), []);
    assert.deepEqual(
      validateCatalog(catalog, () => 'row')
        .services.find(({ name }) => name === 'vault')
        ?.after.map(({ kind }) => kind),
      after.map(() => 'vault-init'),
    );
  });

  for (const { name, break: damage, file, field, message } of REFUSALS) {
    test(`refuses: ${name}`, () => {
      const catalog = sampleCatalog();
      damage(catalog);
      assert.ok(
        problemsOf(catalog).some(
          (problem) => problem.file === file && problem.field === field && problem.message === message,
        ),
        JSON.stringify(problemsOf(catalog), null, 2),
      );
    });
  }

  test('lists all problems at once, each in a line with file and field', () => {
    const catalog = sampleCatalog();
    serviceIn(catalog, 'web').dependsOn = ['nobody'];
    serviceIn(catalog, 'api').namespace = 'nowhere';
    assert.throws(
      () => checkCatalog(catalog),
      (thrown: Error) => {
        assert.equal(thrown.message.split('\n')[0], 'The catalog has 2 problems:');
        assert.match(
          thrown.message,
          /src\/catalog\/services\/app-plane\.ts: api\.namespace: unknown namespace "nowhere"/,
        );
        assert.match(thrown.message, /src\/catalog\/services\/app-plane\.ts: web\.dependsOn: unknown service "nobody"/);
        return true;
      },
    );
  });

  test('names service and file where the shape is wrong', () => {
    const catalog = sampleCatalog();
    serviceIn(catalog, 'web').ports = [{ name: 'http', port: 80, containerPort: 80, protocol: 'http' }];
    const [problem] = problemsOf(catalog);
    assert.equal(problem?.file, APP_PLANE);
    assert.equal(problem.field, 'web.ports.0.containerPort');
  });

  test('refuses an unknown key', () => {
    const catalog = sampleCatalog();
    Object.assign(serviceIn(catalog, 'web'), { dependson: [] });
    assert.match(problemsOf(catalog)[0]?.message ?? '', /dependson/);
  });
});
