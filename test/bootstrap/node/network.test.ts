import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseSubnet, nodeNetwork, overlaps, parseRange, parseRoutes } from '../../../bootstrap/node/network.ts';
import { parseNameServers } from '../../../bootstrap/node/resolvers.ts';
import { uplinkOf, wayOutRules } from '../../../bootstrap/node/way-out.ts';

const ROUTES =
  'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n' +
  'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\nan\t0000E70A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n';

describe("a real node's network", () => {
  test('one range: a link, and the upper half for pods', () => {
    assert.deepEqual(nodeNetwork('10.231.7.9/16'), {
      subnet: '10.231.0.0/16',
      host: '10.231.0.1',
      node: '10.231.0.2',
      linkBits: 24,
      pods: '10.231.128.0/17',
    });
    assert.equal(nodeNetwork('172.16.4.0/22').pods, '172.16.6.0/23');
  });

  for (const bad of ['10.0.0.0', '10.0.0.0/24', '300.0.0.0/16', 'somewhere', '10.0.0.0/40']) {
    test(`${bad} is refused`, () => {
      assert.throws(() => nodeNetwork(bad), /range/);
    });
  }

  test('ranges overlap when one lies in the other', () => {
    const cases: [string, string, boolean][] = [
      ['10.0.0.0/8', '10.231.0.0/16', true],
      ['10.231.0.0/16', '10.231.5.0/24', true],
      ['10.230.0.0/16', '10.231.0.0/16', false],
      ['192.0.2.0/24', '192.0.3.0/24', false],
    ];
    for (const [a, b, expected] of cases) assert.equal(overlaps(parseRange(a), parseRange(b)), expected, `${a} ${b}`);
  });

  test("the machine's routes are read; the default one is no range", () => {
    assert.deepEqual(parseRoutes(ROUTES), ['192.0.2.0/24', '10.231.0.0/16']);
    assert.equal(uplinkOf(ROUTES), 'eth0');
  });

  test('the same folder gets the same free range; a taken one is passed over; none left is told', () => {
    const first = chooseSubnet('/state/a', []);
    assert.equal(chooseSubnet('/state/a', []), first);
    assert.notEqual(chooseSubnet('/state/a', [first]), first);
    assert.throws(() => chooseSubnet('/state/a', ['10.0.0.0/8']), /realNode\.subnet/);
  });

  test('what leaves is masqueraded on the way out only; nothing else is let through', () => {
    const rules = wayOutRules({ table: 'ananta_1', link: 'ananta-1' }, nodeNetwork('10.231.0.0/16'), 'eth0');
    assert.match(rules, /ip saddr 10\.231\.0\.0\/16 oifname "eth0" masquerade/);
    assert.match(rules, /iifname "ananta-1" oifname != "eth0" drop/);
  });

  test("name servers on loopback are this machine's alone", () => {
    assert.deepEqual(parseNameServers('# x\nnameserver 127.0.0.53\nnameserver 192.0.2.53\nsearch a\n'), ['192.0.2.53']);
  });
});
