import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DestroyPreview, previewLines } from '../../../src/cli/destroy/preview.ts';
import { requireConfirmation } from '../../../src/cli/destroy/run.ts';
import { afterDestruction, remainingObjectLines } from '../../../src/cli/render/remaining-objects.ts';
import { plainStyle } from '../../../src/cli/shared/terminal.ts';
import type { RemainingObject } from '../../../src/contract/operations/deploy.ts';

describe('leave to destroy', () => {
  const CASES: [
    what: string,
    isProtected: boolean,
    confirm: string | undefined,
    interactive: boolean,
    refused: RegExp | undefined,
  ][] = [
    ['a terminal, where it is asked later', false, undefined, true, undefined],
    ['no terminal, the name given', false, 'test', false, undefined],
    ['no terminal, no name', false, undefined, false, /no terminal to ask on/],
    ['another name', false, 'prod', true, /--confirm prod does not name the environment "test"/],
    ['protected, name or not', true, 'test', true, /"test" is protected.*protected: false/],
  ];
  for (const [what, isProtected, confirm, interactive, refused] of CASES) {
    test(what, () => {
      const ask = (): void =>
        requireConfirmation(
          { name: 'test', protected: isProtected },
          confirm === undefined ? {} : { confirm },
          interactive,
        );
      if (refused === undefined) ask();
      else assert.throws(ask, refused);
    });
  }
});

describe('what is shown before', () => {
  const preview: DestroyPreview = {
    deleteData: false,
    cluster: 'https://127.0.0.1:6443',
    services: 12,
    releases: 15,
    namespaces: ['gitops', 'stores'],
    volumes: [{ kind: 'PersistentVolumeClaim', namespace: 'stores', name: 'data-redis-0' }],
    foreign: [{ kind: 'ConfigMap', namespace: 'gitops', name: 'theirs' }],
    notes: [],
  };
  const parts = (lines: string[]): [goes: string, stays: string] => {
    const [goes = '', stays = ''] = lines.join('\n').split('Stays:');
    return [goes, stays];
  };

  test('volumes stay, what is not ours too', () => {
    const [goes, stays] = parts(previewLines(preview, 'test'));
    assert.match(goes, /"test" on https:\/\/127\.0\.0\.1:6443[^]*15 releases of 12 services, dependents first/);
    assert.doesNotMatch(goes, /data-redis-0/);
    assert.match(stays, /1 volume: stores\/data-redis-0[^]*unseal keys[^]*ConfigMap gitops\/theirs: not ours/);
  });

  test('with data: they are among what goes, what is not ours is not', () => {
    const [goes, stays] = parts(previewLines({ ...preview, deleteData: true }, 'test'));
    assert.match(goes, /stores\/data-redis-0[^]*Vault's data with all passwords/);
    assert.match(stays, /unseal keys are put aside[^]*ConfigMap gitops\/theirs: not ours/);
  });
});

describe('what is shown afterwards', () => {
  const kept: RemainingObject = {
    kind: 'PersistentVolumeClaim',
    namespace: 'a',
    name: 'data-0',
    state: 'kept',
    reason: 'data stay',
  };
  const stuck: RemainingObject = {
    kind: 'Namespace',
    name: 'b',
    state: 'stuck',
    reason: 'ConfigMap x is held by finalizer y',
  };
  const options = { columns: 80, style: plainStyle };

  test('what hangs first, then what was kept, alike ones together', () => {
    assert.deepEqual(
      remainingObjectLines({ remains: [kept, { ...kept, name: 'data-1' }, stuck], outcome: 'failed' }, options),
      [
        '',
        '✘ Namespace b does not go away',
        '  ConfigMap x is held by finalizer y',
        '',
        'Left in the cluster:',
        '  - PersistentVolumeClaim a/data-0, PersistentVolumeClaim a/data-1: data stay',
      ],
    );
  });

  test('nothing left; and remains that were not reached', () => {
    assert.deepEqual(remainingObjectLines({ remains: [], outcome: 'succeeded' }, options), [
      '',
      '  Nothing of the platform is left in the cluster.',
    ]);
    assert.match(remainingObjectLines({ outcome: 'failed' }, options).join(' '), /were not touched/);
  });

  test('the next step depends on whether data are there', () => {
    const next = (remains: RemainingObject[]): string =>
      afterDestruction({ environment: 'test', outcome: 'succeeded', remains })[0]?.[1] ?? '';
    assert.match(next([kept]), /same passwords/);
    assert.match(next([]), /new passwords/);
  });
});
