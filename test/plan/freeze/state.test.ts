import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { momentProblem } from '../../../src/environment/fields/formats/moments.ts';
import { comingWindows, freezeAt, type FreezeRules } from '../../../src/plan/freeze/state.ts';

const weekend: FreezeRules = {
  timeZone: 'Europe/Berlin',
  windows: [{ name: 'weekend', from: '0 16 * * FRI', to: '0 8 * * MON' }],
  exceptions: [],
};
const with_ = (more: Partial<FreezeRules>): FreezeRules => ({ ...weekend, ...more });
const night = (from: string, to: string, timeZone = 'Europe/Berlin'): FreezeRules => ({
  timeZone,
  windows: [{ name: 'night', from, to }],
  exceptions: [],
});

describe('freeze windows', () => {
  const table: [what: string, rules: FreezeRules, at: string, until: string | undefined][] = [
    ['a millisecond before it begins', weekend, '2026-11-27T14:59:59.999Z', undefined],
    ['at its begin', weekend, '2026-11-27T15:00:00Z', '2026-11-30T07:00:00.000Z'],
    ['within its first second', weekend, '2026-11-27T15:00:00.400Z', '2026-11-30T07:00:00.000Z'],
    ['a millisecond before its end', weekend, '2026-11-30T06:59:59.999Z', '2026-11-30T07:00:00.000Z'],
    ['at its end', weekend, '2026-11-30T07:00:00Z', undefined],
    // Clocks go forward on 29 March 2026: the weekend has 63 hours, not 64.
    ['spring: begins in winter time', weekend, '2026-03-27T15:00:00Z', '2026-03-30T06:00:00.000Z'],
    ['spring: not an hour before', weekend, '2026-03-27T14:30:00Z', undefined],
    ['spring: ends in summer time', weekend, '2026-03-30T06:00:00Z', undefined],
    ['spring: not an hour too early', weekend, '2026-03-30T05:59:00Z', '2026-03-30T06:00:00.000Z'],
    // And back on 25 October 2026: 65 hours.
    ['autumn: begins in summer time', weekend, '2026-10-23T14:00:00Z', '2026-10-26T07:00:00.000Z'],
    ['autumn: lasts an hour longer', weekend, '2026-10-26T06:30:00Z', '2026-10-26T07:00:00.000Z'],
    ['autumn: over', weekend, '2026-10-26T07:00:00Z', undefined],
    // 02:30 does not exist on 29 March: the first moment after the gap, 03:00 there, begins it.
    [
      'a begin that the clocks skip',
      night('30 2 * * *', '30 3 * * *'),
      '2026-03-29T01:00:00Z',
      '2026-03-29T01:30:00.000Z',
    ],
    ['before a begin that the clocks skip', night('30 2 * * *', '30 3 * * *'), '2026-03-29T00:59:59Z', undefined],
    // An end that the clocks skip does not make the window longer by a day.
    [
      'an end that the clocks skip',
      night('30 1 * * *', '30 2 * * *'),
      '2026-03-29T00:30:00Z',
      '2026-03-29T01:00:00.000Z',
    ],
    ['after an end that the clocks skip', night('30 1 * * *', '30 2 * * *'), '2026-03-29T01:00:00Z', undefined],
    // 02:30 comes twice on 25 October: the first counts.
    ['a begin that comes twice', night('30 2 * * *', '30 3 * * *'), '2026-10-25T00:30:00Z', '2026-10-25T02:30:00.000Z'],
    ['its second coming', night('30 2 * * *', '30 3 * * *'), '2026-10-25T01:30:00Z', '2026-10-25T02:30:00.000Z'],
    ['an end that comes twice', night('0 1 * * *', '30 2 * * *'), '2026-10-25T00:29:00Z', '2026-10-25T00:30:00.000Z'],
    ['after its first coming', night('0 1 * * *', '30 2 * * *'), '2026-10-25T00:30:00Z', undefined],
    // Half an hour of daylight saving, on the other side of the world, with an offset that is no whole hour.
    [
      'Lord Howe, half an hour back',
      night('0 22 * * SAT', '0 6 * * SUN', 'Australia/Lord_Howe'),
      '2026-04-04T12:00:00Z',
      '2026-04-04T19:30:00.000Z',
    ],
    [
      'Kathmandu',
      night('0 0 * * *', '0 6 * * *', 'Asia/Kathmandu'),
      '2026-06-01T18:15:00Z',
      '2026-06-02T00:15:00.000Z',
    ],
    ['over midnight', night('0 22 * * *', '0 6 * * *', 'UTC'), '2026-06-01T02:00:00Z', '2026-06-01T06:00:00.000Z'],
    [
      'one-off, in local time',
      with_({ windows: [{ name: 'year end', from: '2026-12-18T18:00', to: '2027-01-04T08:00' }] }),
      '2026-12-18T17:00:00Z',
      '2027-01-04T07:00:00.000Z',
    ],
    [
      'one-off, over',
      with_({ windows: [{ name: 'year end', from: '2026-12-18T18:00', to: '2027-01-04T08:00' }] }),
      '2027-01-04T07:00:00Z',
      undefined,
    ],
    [
      'windows that touch are one freeze',
      with_({
        windows: [
          { name: 'weekend', from: '0 16 * * FRI', to: '0 8 * * MON' },
          { name: 'month end', from: '2026-11-30T08:00', to: '2026-12-01T12:00' },
        ],
      }),
      '2026-11-28T10:00:00Z',
      '2026-12-01T11:00:00.000Z',
    ],
    [
      'an exception opens it earlier',
      with_({ exceptions: [{ from: '2026-11-28T12:00', to: '2026-11-28T14:00', reason: 'patch' }] }),
      '2026-11-28T10:00:00Z',
      '2026-11-28T11:00:00.000Z',
    ],
    [
      'after an exception it is frozen again',
      with_({ exceptions: [{ from: '2026-11-28T12:00', to: '2026-11-28T14:00', reason: 'patch' }] }),
      '2026-11-28T13:00:00Z',
      '2026-11-30T07:00:00.000Z',
    ],
    [
      'a window with a zone of its own',
      {
        timeZone: 'UTC',
        windows: [{ name: 'tokyo', from: '0 9 * * *', to: '0 18 * * *', timeZone: 'Asia/Tokyo' }],
        exceptions: [],
      },
      '2026-11-28T00:00:00Z',
      '2026-11-28T09:00:00.000Z',
    ],
  ];
  for (const [what, rules, at, until] of table)
    test(what, () => {
      const state = freezeAt(rules, Date.parse(at));
      assert.deepEqual([state.frozen, state.until], [until !== undefined, until]);
    });

  test('an exception tells its reason, and the windows that it sets aside', () => {
    const rules = with_({ exceptions: [{ from: '2026-11-28T12:00', to: '2026-11-28T14:00', reason: 'patch' }] });
    assert.deepEqual(freezeAt(rules, Date.parse('2026-11-28T11:30:00Z')), {
      frozen: false,
      windows: ['weekend'],
      exception: 'patch',
    });
  });

  test('the end is told in the zone of the environment', () => {
    assert.equal(freezeAt(weekend, Date.parse('2026-03-28T00:00:00Z')).opens, 'Mon 2026-03-30 08:00 Europe/Berlin');
  });

  test('one that never ends is frozen without an end', () => {
    const always = with_({
      windows: [
        { name: 'days', from: '0 8 * * *', to: '0 20 * * *' },
        { name: 'nights', from: '0 20 * * *', to: '0 8 * * *' },
      ],
    });
    assert.deepEqual(freezeAt(always, Date.parse('2026-11-28T00:00:00Z')), { frozen: true, windows: ['nights'] });
  });

  test('what comes is told in order', () => {
    const rules = with_({
      windows: [...weekend.windows, { name: 'year end', from: '2026-12-02T18:00', to: '2027-01-04T08:00' }],
    });
    assert.deepEqual(comingWindows(rules, Date.parse('2026-11-30T12:00:00Z'), 2), [
      { name: 'year end', from: 'Wed 2026-12-02 18:00 Europe/Berlin', to: 'Mon 2027-01-04 08:00 Europe/Berlin' },
      { name: 'weekend', from: 'Fri 2026-12-04 16:00 Europe/Berlin', to: 'Mon 2026-12-07 08:00 Europe/Berlin' },
    ]);
  });
});

describe('moments', () => {
  const table: [text: string, problem: RegExp | undefined][] = [
    ['0 16 * * FRI', undefined],
    ['30 2 29 2 *', undefined],
    ['2026-12-18T18:00', undefined],
    ['2026-12-18T18:00:30', undefined],
    ['2026-02-30T18:00', /no date of the calendar/],
    ['2026-12-18T24:00', /no date of the calendar/],
    ['2026-12-18', /five fields/],
    ['2026-12-18T18:00Z', /five fields/],
    ['@weekly', /five fields/],
    ['*/5 * * * * *', /five fields/],
    ['0 25 * * *', /no cron expression: Invalid value for hour: 25/],
    ['0 0 30 2 *', /never comes/],
    ['friday at four', /five fields/],
    ['', /five fields/],
  ];
  for (const [text, problem] of table)
    test(JSON.stringify(text), () => {
      if (problem === undefined) assert.equal(momentProblem(text), undefined);
      else assert.match(momentProblem(text) ?? '', problem);
    });
});
