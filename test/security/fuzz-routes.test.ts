/** What operators write by hand: routes files, matchers, time intervals. Every mistake ends in words, quickly. */
import { readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHANNEL_TYPES } from '../../functions/notify/channels/index.ts';
import { matchesAll, parseMatchers } from '../../shared/matchers.ts';
import { readRoutes } from '../../functions/notify/routes-file.ts';
import { answerFor } from '../../functions/notify/routes.ts';
import { timeIntervalSchema } from '../../functions/notify/time-interval-words.ts';
import { isInside } from '../../functions/notify/time-intervals.ts';
import { hostileJson, hostileName, hostileText, patience, runs, unlessRefused } from '../support/fuzz.ts';

const folder = new URL('../../docs/examples/routes/', import.meta.url);
const examples = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(new URL(name, folder), 'utf8'));
const types = new Set(CHANNEL_TYPES.map(({ type }) => type));
const labels = fc.dictionary(hostileName, hostileText, { maxKeys: 5 });
const moment = fc.date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });

/** Pieces of YAML that change what the rest means. */
const PIECES = [
  '- ',
  ': ',
  '\n',
  '&a ',
  '*a',
  '<<: *a\n',
  '!!js ',
  '"',
  "'",
  '{',
  '}',
  '[',
  ']',
  '#',
  '|\n',
  '? ',
  '%',
  '\t',
  '---\n',
  '\0',
  '=~',
  '~',
  '__proto__: 1\n',
];
const edited = fc
  .tuple(
    fc.constantFrom(...examples),
    fc.array(
      fc.record({
        at: fc.nat(),
        cut: fc.integer({ min: 0, max: 20 }),
        put: fc.oneof(
          fc.constantFrom(...PIECES),
          hostileText.map((text) => text.slice(0, 40)),
        ),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((now, { at, cut, put }) => {
      const place = at % (now.length + 1);
      return now.slice(0, place) + put + now.slice(place + cut);
    }, text),
  );

describe('a routes file', () => {
  it('with edits answers for every alert, or every problem is told with its line', patience, () => {
    fc.assert(
      fc.property(edited, labels, moment, (text, alert, at) => {
        const read = readRoutes(text, types);
        const isRead = 'file' in read;
        const problems = isRead ? [] : read;
        const why = isRead
          ? answerFor(read.file, ['ntfy', 'slack'], { severity: 'critical', ...alert }, at).why
          : null;
        expect(why).not.toBe('');
        expect(isRead).toBe(problems.length === 0);
        for (const problem of problems) {
          expect(problem.line).toBeGreaterThanOrEqual(1);
          expect(problem.text).not.toBe('');
        }
      }),
      runs(250),
    );
  });

  it('of a bomb of aliases, or nested without end, is a problem within a second', patience, () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level},`.repeat(10)}]`,
    );
    const bombs = [
      `l0: &l0 [x]\n${levels.join('\n')}\nroutes: *l12\n`,
      `routes: ${'['.repeat(20_000)}`,
      `routes:\n${Array.from({ length: 2_000 }, (_, depth) => `${' '.repeat(depth)}- routes:`).join('\n')}`,
      `routes: ${'a'.repeat(300_000)}`,
    ];
    for (const bomb of bombs) {
      const startedAt = performance.now();
      expect(readRoutes(bomb, types)).toBeInstanceOf(Array);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    }
  });
});

const matcherText = fc.oneof(
  hostileText,
  fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '=',
          '!=',
          '=~',
          '!~',
          '{',
          '}',
          ',',
          '"',
          '\\',
          'severity',
          'a',
          ' ',
          '.*',
          '(a+)+',
          '\\n',
          '\\x',
          '\\u12',
          '[',
          '^',
        ),
        hostileText.map((text) => text.slice(0, 10)),
      ),
      { maxLength: 14 },
    )
    .map((parts) => parts.join('')),
);

describe('a matcher', () => {
  it('of any text decides, or is refused in words', patience, () => {
    fc.assert(
      fc.property(matcherText, labels, (text, alert) => {
        const answer = unlessRefused(() => matchesAll(parseMatchers(text), alert));
        expect([true, false, null]).toContain(answer);
      }),
      runs(1_500),
    );
  });

  /** Shapes that take a backtracking engine ages; RE2 reads each character once. */
  const pattern = fc
    .array(
      fc.constantFrom(
        '(a+)+',
        '(a|aa)*',
        '(.*)*',
        '(a|a)*',
        '[ab]*',
        '.*',
        'a?',
        '(a{1,9}){1,9}',
        'b',
        '$',
        '(?i)A+',
      ),
      { minLength: 1, maxLength: 5 },
    )
    .map((parts) => parts.join(''));
  it('takes no longer than linear for patterns that nest', patience, () => {
    let slowestMs = 0;
    fc.assert(
      fc.property(pattern, (text) => {
        const matchers = parseMatchers(`a=~${JSON.stringify(text)}`);
        const startedAt = performance.now();
        matchesAll(matchers, { a: `${'a'.repeat(4_096)}!` });
        slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      }),
      runs(150),
    );
    // A backtracking engine needs longer than the universe for the first of them.
    expect(slowestMs).toBeLessThan(2_000);
  });
});

describe('a time interval', () => {
  const field = fc.oneof(
    hostileJson,
    fc.array(
      fc.oneof(
        fc.constantFrom(
          'monday:friday',
          'saturday',
          '1:31',
          '-1',
          '-31:31',
          'january:december',
          '2026',
          '1:9999',
          0,
          31,
          'sunday:monday',
        ),
      ),
      { maxLength: 3 },
    ),
    fc.constant([{ start_time: '00:00', end_time: '24:00' }]),
    fc.constantFrom('Europe/London', 'Asia/Kolkata', 'Australia/Lord_Howe', '+25:00', ''),
  );
  it('of any shape is inside, outside or refused in words', patience, () => {
    const interval = fc.record(
      { times: field, weekdays: field, days_of_month: field, months: field, years: field, location: field },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(interval, moment, (given, at) => {
        const parsed = timeIntervalSchema.safeParse(given);
        const answer = parsed.success && isInside({ name: 'fuzz', intervals: [parsed.data] }, at);
        expect(answer).toBeTypeOf('boolean');
        expect(parsed.error?.issues.every(({ message }) => message !== '')).not.toBe(false);
      }),
      runs(500),
    );
  });
});
