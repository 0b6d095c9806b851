/** Where an environment is rehearsed, which faults hit it, and what the certificate says. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { readConfig } from '../../../src/config.ts';
import { loadEnvironment } from '../../../src/environment/load.ts';
import { loadPlatform } from '../../../src/environment/platform.ts';
import { type Environment, environmentFileSchema } from '../../../src/environment/schema.ts';
import { factsOf } from '../../../src/plan/policy/facts.ts';
import { type PolicyRule, verdictsOf } from '../../../src/plan/policy/verdicts.ts';
import { planOf } from '../../support/plans.ts';
import { allReleaseInputs } from '../../../src/plan/inputs/release-inputs.ts';
import {
  type Certificate,
  certificateSchema,
  endedText,
  problemsOf,
  rehearsalPassed,
  type RehearsedRun,
} from '../../../src/plan/rehearsal/certificate.ts';
import { contentDigest, readsRehearsal, rehearsalFact } from '../../../src/plan/rehearsal/content.ts';
import {
  ANSWERS,
  FAULT_TARGETS,
  faultText,
  isAt,
  type Moment,
  type PlannedFault,
  planFaults,
  WAYS,
} from '../../../src/plan/rehearsal/faults.ts';
import { renderCertificate } from '../../../src/plan/rehearsal/html.ts';
import { certificateMarkdown } from '../../../src/plan/rehearsal/markdown.ts';
import { mayDiffer } from '../../../src/plan/rehearsal/rules.ts';
import { NEVER_SHOWN, standOf } from '../../../src/plan/rehearsal/stand.ts';

const config = readConfig({});

describe('the place of a rehearsal', () => {
  const standInFor = async (
    name: string,
  ): Promise<{ environment: Environment; there: Environment; fields: string[] }> => {
    const environment = await loadEnvironment(name, config);
    const { file, standIns } = standOf(environment, await loadPlatform(environment, config));
    const folder = await mkdtemp(join(tmpdir(), 'ananta-stand-'));
    try {
      await writeFile(join(folder, `${name}.yaml`), stringify(file));
      const there = await loadEnvironment(name, { ...config, environmentsDir: folder });
      return { environment, there, fields: standIns.map(({ field }) => field) };
    } finally {
      await rm(folder, { recursive: true });
    }
  };

  test('is embedded, has the name of the environment, and says field by field what it replaces', async () => {
    for (const [name, replaced] of [
      ['mini', []],
      ['node', ['cluster.embedded.realNode']],
      ['staging', ['cluster', 'engine', 'suppliedSecrets']],
    ] as const) {
      const { there, fields } = await standInFor(name);
      assert.deepEqual(fields, replaced, name);
      assert.equal(there.name, name);
      assert.ok('embedded' in there.cluster && 'embedded' in there.engine);
      assert.equal(there.simulation?.jitter, 0);
      assert.equal(there.drift.mode, 'off');
    }
  });

  test('makes each release of staging from what staging makes it from', async () => {
    const { environment, there } = await standInFor('staging');
    const catalog = await loadPlatform(environment, config);
    const [own, rehearsed] = await Promise.all(
      [environment, there].map((each) => allReleaseInputs(catalog, { ...each, charts: 'bundled' }, {}, config)),
    );
    assert.deepEqual(rehearsed, own);
  });

  test('has an answer to every key of an environment: one that is new needs one, too', () => {
    const taken = [
      'platform',
      'platformParameters',
      'charts',
      'chartOverrides',
      'chartFolders',
      'chartMirror',
      'chartLock',
      'domain',
    ]
      .concat(['ingress', 'secrets', 'images', 'replicas', 'resources', 'storage', 'values', 'gitops', 'helm', 'ask'])
      .concat(['history', 'fields', 'healthTimeoutFactor', 'retries', 'deletionProgressDeadlineSeconds', 'deployer']);
    const changed = ['description', 'protected', 'cluster', 'engine', 'vault', 'suppliedSecrets', 'approvals', 'policy']
      .concat(['notify', 'onFailure', 'drift', 'verification', 'simulation'])
      .concat([
        '$schema',
        'extends',
        'encryption',
        'freeze',
        'telemetry',
        'prometheus',
        'nexus',
        'backup',
        'checkpoints',
        'rotation',
        'rehearsal',
        'outputs',
      ]);
    assert.deepEqual(Object.keys(environmentFileSchema.shape).sort(), [...taken, ...changed].sort());
  });

  test('stands in for all that people and other systems do', () => {
    const environment = {
      cluster: { context: 'x' },
      engine: { address: 'x:1', namespace: 'x', tls: false },
      protected: true,
      vault: {
        replicas: 3,
        tls: { secret: 'x' },
        external: { address: 'https://x:1' },
        seal: { type: 'awskms' },
        keys: { store: 'kubernetes', publicKeys: ['x'] },
      },
      suppliedSecrets: 'required',
      approvals: [{ by: ['x'] }],
      policy: [{ rule: 'plan.rehearsal.passed' }, { rule: 'true' }],
      freeze: { windows: [] },
      encryption: {},
      telemetry: {},
      nexus: {},
      backup: {},
      checkpoints: {},
      prometheus: { url: 'https://x' },
      notify: { targets: { a: {} } },
      onFailure: 'ask',
      ask: { forSeconds: 1, then: 'stop' },
      drift: {},
      verification: { skip: { 'a/b': 'c' } },
    } as unknown as Environment;
    const catalog = { services: [{ name: 'web', checks: [{ name: 'slo', kind: 'promql' }] }] };
    const { file, standIns } = standOf(environment, catalog as never);
    assert.deepEqual(
      standIns.map(({ field }) => field),
      ['cluster', 'engine', 'protected', 'vault.replicas', 'vault.tls', 'vault.external', 'vault.seal']
        .concat([
          'vault.keys.store',
          'vault.keys.publicKeys',
          'suppliedSecrets',
          'approvals',
          'policy',
          'freeze',
          'encryption',
        ])
        .concat([
          'telemetry',
          'nexus',
          'backup',
          'checkpoints',
          'notify',
          'onFailure',
          'prometheus',
          'verification.skip',
        ]),
    );
    assert.deepEqual(file.policy, [{ rule: 'true' }]);
    assert.equal(file.onFailure, 'stop');
    assert.deepEqual(Object.keys(file.verification?.skip ?? {}), ['a/b', 'web/slo']);
    for (const gone of [
      'freeze',
      'encryption',
      'telemetry',
      'prometheus',
      'nexus',
      'backup',
      'checkpoints',
      'rehearsal',
      'name',
    ])
      assert.ok(!(gone in file), gone);
  });
});

describe('the faults of a run', () => {
  const moments: Moment[] = ['vault', 'database', 'web'].flatMap((service) =>
    ['applying', 'starting', 'healthy'].map((state) => ({ service, state })),
  );

  test('are decided by seed and run, and by nothing else', () => {
    const request = { seed: 42, run: 1, faults: 5, moments };
    assert.deepEqual(planFaults(request), planFaults({ ...request }));
    assert.notDeepEqual(planFaults(request), planFaults({ ...request, seed: 43 }));
    assert.notDeepEqual(planFaults(request), planFaults({ ...request, run: 2 }));
    assert.deepEqual(planFaults(request).map(faultText), [
      'way to the API server slower by 50 ms for 4 s when vault was applying',
      "API server's answers lost, 4 times, when vault was starting",
      'worker killed when vault was starting',
      'helm killed when database was applying',
      'helm stopped for 8 s when web was applying',
    ]);
  });

  test('come in the order of their moments, hit every part sooner or later, and Helm only while something is applied', () => {
    const all = Array.from({ length: 60 }, (_, seed) => planFaults({ seed, run: 1, faults: 6, moments }));
    for (const faults of all) {
      const order = faults.map(({ at }) => moments.findIndex((moment) => moment === at));
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      );
      for (const { target, at } of faults) if (target === 'helm') assert.equal(at.state, 'applying');
    }
    assert.deepEqual(
      [...new Set(all.flat().map(({ target }) => target))].sort(),
      [...FAULT_TARGETS, ...WAYS, 'API server'].sort(),
    );
    assert.deepEqual([...new Set(all.flat().map(({ kind }) => kind))].sort(), [
      ...['answers', 'cut', 'kill', 'slow', 'stall', 'stop'],
    ]);
    const answers = all.flat().flatMap((fault) => (fault.kind === 'answers' ? [fault.answer] : []));
    assert.deepEqual(new Set(answers), new Set(ANSWERS));
    assert.ok(all.every((faults) => faults.length === 6));
  });

  test('are told apart by operation where a run has several', () => {
    const again = { service: 'web', state: 'healthy', operation: 3 };
    const [fault] = planFaults({ seed: 1, run: 1, faults: 1, moments: [again] });
    assert.match(faultText(fault!), / when web was healthy in operation 3$/);
    assert.ok(isAt(again, { ...again }) && !isAt(again, { service: 'web', state: 'healthy' }));
    assert.ok(isAt({ ...again, operation: 1 }, { service: 'web', state: 'healthy' }));
  });

  test('are none where the undisturbed run changed nothing', () => {
    assert.deepEqual(planFaults({ seed: 1, run: 1, faults: 3, moments: [] }), []);
    const waits = [{ service: 'web', state: 'starting' }];
    assert.ok(planFaults({ seed: 1, run: 1, faults: 20, moments: waits }).every(({ target }) => target !== 'helm'));
  });
});

describe('a certificate', () => {
  const at: Moment = { service: 'web', state: 'applying' };
  const kill = { target: 'worker', kind: 'kill', at } as const;
  const hit = { at: '2026-11-30T22:46:09Z', backAfterSeconds: 1.23 };
  const run = (more: Partial<RehearsedRun> = {}): RehearsedRun => ({
    run: 1,
    outcome: 'succeeded',
    seconds: 12,
    faults: [{ fault: kill, hit, ended: endedText(kill, hit, 'healthy') }],
    retries: 2,
    differences: [],
    ...more,
  });
  const certificate = (runs: RehearsedRun[], outcome = 'succeeded'): Certificate => {
    const undisturbed = { outcome, seconds: 10, objects: 300, releases: 14, vault: 19, state: 'abc' };
    return {
      format: 1,
      environment: 'staging',
      platform: 'mini',
      at: '2026-11-30T22:46:09Z',
      requestedBy: 'ann@host',
      passed: rehearsalPassed({ undisturbed, runs }),
      seed: 42,
      from: 'an empty cluster',
      operations: ['deploy'],
      plan: {
        digest: 'eff822795db426f3',
        content: 'a2ddc2e4bc753a9f',
        services: 11,
        imageTags: {},
        otherwise: ['vault'],
      },
      versions: { temporal: '1.5.1' },
      undisturbed,
      runs,
      standIns: [{ field: 'cluster', rehearsed: 'an embedded one', unseen: 'the cluster | <itself>' }],
      neverShown: [...NEVER_SHOWN],
      mayDiffer: mayDiffer(),
    };
  };
  const difference = { subject: 'Deployment apps/web', path: 'spec.replicas', expected: 2, found: 1 };
  const missed = { fault: kill, ended: endedText(kill, undefined, 'healthy') };

  test('is passed only where every run ended well, in the same state, hit by all of its faults', () => {
    const cases: [Certificate, boolean, RegExp][] = [
      [certificate([run(), run()]), true, /^$/],
      [certificate([]), true, /^$/],
      [
        certificate([run(), run({ differences: [difference] })]),
        false,
        /Run 1: Deployment apps\/web: spec.replicas is 1/,
      ],
      [
        certificate([run({ outcome: 'failed', failure: 'web is not healthy' })]),
        false,
        /Run 1 failed: web is not healthy/,
      ],
      [certificate([run({ faults: [missed] })]), false, /worker killed when web was applying did not come to pass/],
      [certificate([], 'failed'), false, /The undisturbed run failed/],
    ];
    for (const [each, passed, problem] of cases) {
      assert.equal(each.passed, passed);
      assert.match(problemsOf(each).join('\n'), problem);
      assert.deepEqual(certificateSchema.parse(JSON.parse(JSON.stringify(each))), each);
    }
  });

  test('counts for rules where it has passed, and is of this environment and this content', () => {
    const inputs = new Map([
      ['web', { digest: 'b' }],
      ['api', { digest: 'a' }],
    ]);
    assert.equal(contentDigest(inputs), contentDigest(new Map([...inputs].reverse())));
    assert.notEqual(contentDigest(inputs), contentDigest(new Map([...inputs, ['new', { digest: 'c' }]])));
    const good = certificate([run(), run()]);
    const { at: made, environment, plan } = good;
    const now = Date.parse(made) + 1.5 * 3_600_000;
    const asked = { environment, content: plan.content, now };
    const said = { passed: true, hours: 1.5, runs: 2n, faults: 2n, reason: '' };
    assert.deepEqual(rehearsalFact(good, asked), said);
    const cases: [Certificate | string, Partial<typeof asked>, RegExp][] = [
      [good, { environment: 'prod' }, /is of staging/],
      [good, { content: 'other' }, /other charts, values or images/],
      [certificate([run({ differences: [difference] })]), {}, /has not passed/],
      ['x.json cannot be read: ENOENT', {}, /ENOENT/],
    ];
    for (const [given, more, reason] of cases) {
      const fact = rehearsalFact(given, { ...asked, ...more });
      assert.equal(fact.passed, false);
      assert.match(fact.reason, reason);
    }
    assert.equal(rehearsalFact(good, { ...asked, now: 0 }).hours, 0);
    const rule: PolicyRule = {
      name: 'rehearsed',
      for: 'plan',
      effect: 'deny',
      operations: ['deploy'],
      rule: 'plan.rehearsal.passed && plan.rehearsal.hours < 24.0 && plan.rehearsal.faults >= 2',
    };
    const broken = (more: object): number =>
      verdictsOf(
        [rule],
        'deploy',
        factsOf(planOf({}), { stateful: new Set(), rehearsal: { ...said, ...more } }),
        new Date(),
      ).flatMap(({ violations, problem }) => [...violations, ...(problem === undefined ? [] : [problem])]).length;
    assert.deepEqual(
      [broken({}), broken({ passed: false }), broken({ hours: 24 }), broken({ faults: 1n })],
      [0, 1, 1, 1],
    );
    assert.ok(readsRehearsal(rule) && !readsRehearsal({ rule: 'plan.services.size() < 5' }));
  });

  test('says of each fault how it ended', () => {
    const helm = { ...kill, target: 'helm' } as const;
    const stop = { ...kill, kind: 'stop', seconds: 4 } as const;
    assert.equal(endedText(kill, hit, 'healthy'), 'another one ran after 1.2 s; web ended healthy');
    assert.equal(endedText(stop, hit, 'healthy'), 'went on after 1.2 s; web ended healthy');
    assert.equal(
      endedText(helm, { at: hit.at }, 'failed'),
      'its work was taken up again by the worker; web ended failed',
    );
    assert.match(endedText(helm, undefined, 'healthy'), /^did not come to pass: no helm was there/);
    const way = { kind: 'cut', target: 'way to the engine', at, seconds: 4 } as const;
    assert.equal(endedText(way, hit, 'healthy'), 'open again after 1.2 s; web ended healthy');
    const answers = { kind: 'answers', target: 'API server', at, answer: 503, count: 2 } as const;
    assert.equal(endedText(answers, hit, 'healthy'), 'given within 1.2 s, and asked again; web ended healthy');
    assert.match(endedText(answers, undefined, 'healthy'), /^did not come to pass: nobody asked/);
    const texts: [PlannedFault, string][] = [
      [way, 'way to the engine cut for 4 s when web was applying'],
      [{ ...way, kind: 'stall' }, 'way to the engine silent for 4 s when web was applying'],
      [answers, "API server's answers 503, 2 times, when web was applying"],
      [{ ...answers, answer: 'cut', count: 1 }, "API server's answers cut off, 1 time, when web was applying"],
    ];
    for (const [fault, text] of texts) {
      assert.equal(faultText(fault), text);
      const kept = certificate([run({ faults: [{ fault, hit, ended: endedText(fault, hit, 'healthy') }] })]);
      assert.deepEqual(certificateSchema.parse(JSON.parse(JSON.stringify(kept))), kept);
      assert.ok(renderCertificate(kept).includes(text.replace("'", '&#39;')) || renderCertificate(kept).includes(text));
    }
  });

  test('is a page that asks for nothing outside of itself, and a comment whose table holds', () => {
    const page = renderCertificate(certificate([run({ differences: [difference] })]));
    assert.doesNotMatch(page, /(src|href)="(?!#)|https?:|@import|url\(/);
    for (const text of [
      'not passed',
      'worker killed when web was applying',
      'spec.replicas',
      'the cluster | &lt;itself&gt;',
    ])
      assert.ok(page.includes(text), text);
    assert.ok(NEVER_SHOWN.every((line) => page.includes(line.slice(0, 20))));
    const comment = certificateMarkdown(certificate([run()]));
    assert.match(comment, /^### ✅ Rehearsal of staging: every run ended in the same state/);
    assert.match(
      comment,
      /\| 1 \| worker killed when web was applying \| another one ran after 1.2 s; web ended healthy \| the same \|/,
    );
    assert.ok(comment.includes('the cluster \\| &lt;itself>'));
  });
});
