/** What strangers can ask the console: tokens, cookies, cursors, queries, files. It answers in words and never with a 500. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readSession, signSession } from '../../functions/console/session.ts';
import { toWebRequest } from '../../functions/console/web-request.ts';
import { signLink, verifyLink } from '../../shared/decision-link.ts';
import { createPool } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { CONSOLE_TOKEN, createTestConsole, DECISION_KEYS, dumpTables, makeLink } from '../support/console.ts';
import type { TestConsole } from '../support/console.ts';
import { createTestDatabase } from '../support/database.ts';
import { hostileJson, hostileText, patience, runs, unlessRefused } from '../support/fuzz.ts';

let pool: Pool;
let site: TestConsole;
let token: string;
let errorsBefore = 0;
beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'fuzz', size: 4 });
  site = createTestConsole(pool);
  for (let issue = 0; issue < 5; issue++) ({ token } = await makeLink(pool));
});
beforeEach(() => {
  errorsBefore = site.errors.length;
});
afterAll(() => pool.end());

/** What was logged as an error since the test began. */
const newErrors = (): unknown[] => site.errors.slice(errorsBefore);

/** One character of a text, another. */
const edit = (text: string) =>
  fc
    .tuple(fc.nat(text.length - 1), fc.string({ unit: 'binary-ascii', maxLength: 2 }))
    .map(([place, put]) => text.slice(0, place) + put + text.slice(place + 1))
    .filter((edited) => edited !== text);

describe('a forged token', () => {
  it('of a link is none, whatever it is', patience, () => {
    const id = '0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b';
    const real = signLink(DECISION_KEYS, id);
    fc.assert(
      fc.property(fc.oneof(edit(real), hostileText, fc.base64String()), (forged) => {
        expect(verifyLink(DECISION_KEYS, forged)).toBeNull();
      }),
      runs(2_000),
    );
    expect(verifyLink(DECISION_KEYS, real)).toBe(id);
  });

  it('of a session is none, whatever it is', patience, () => {
    const now = new Date('2026-01-14T22:00:00Z');
    const real = signSession(CONSOLE_TOKEN, 'ann', now);
    fc.assert(
      fc.property(fc.oneof(edit(real), hostileText), (forged) => {
        expect(readSession(CONSOLE_TOKEN, forged, now)).toBeNull();
      }),
      runs(2_000),
    );
    expect(readSession(CONSOLE_TOKEN, real, now)).toBe('ann');
  });

  it('changes nothing, asked or posted, in the path or the header', patience, async () => {
    const before = await dumpTables(pool);
    await fc.assert(
      fc.asyncProperty(fc.oneof(edit(token), hostileText), fc.boolean(), async (forged, isPost) => {
        const method = isPost ? 'POST' : 'GET';
        const path = `/d/${forged.replaceAll(/[\0-\x20#?\x7f-\uffff]/g, '%')}`;
        const byPath = await site.ask(path, { method });
        expect(byPath.status).toBe(404);
        const header = forged.replaceAll(/[^\x21-\x7e]/g, '~');
        const byHeader = await site.ask('/d', {
          method: 'POST',
          headers: { 'x-alertgest-decision': header },
        });
        expect(byHeader.status).toBe(404);
      }),
      runs(150),
    );
    expect(await dumpTables(pool)).toBe(before);
    expect(newErrors()).toEqual([]);
  });
});

describe('the API', () => {
  const extreme = fc.constantFrom(
    '-99999999999999999',
    '99999999999999999',
    '-271821-04-20T00:00:00Z',
    '+275760-09-13T00:00:00Z',
    '0000-01-01',
    '-1',
    '0',
    '1e400',
    '9007199254740993',
    'NaN',
    '',
  );
  const text = fc.oneof(
    extreme,
    hostileText,
    hostileJson.map((value) => JSON.stringify(value) ?? ''),
  );
  const place = fc.oneof(
    fc.tuple(
      fc.oneof(extreme, fc.integer().map(String)),
      hostileText.map((id) => id.slice(0, 300)),
    ),
    text,
    hostileJson,
  );
  const cursor = fc.oneof(
    place.map((value) => Buffer.from(JSON.stringify(value) ?? '').toString('base64url')),
    text,
  );
  const LISTS = [
    'issues',
    'decisions',
    'notices',
    'deliveries',
    'stats',
    'suggestions',
    'audit',
    'decisions.yaml',
  ];
  const query = fc.dictionary(
    fc.constantFrom(
      'limit',
      'offset',
      'state',
      'pattern',
      'status',
      'notice',
      'from',
      'to',
      'episodes',
      'seconds',
      'zone',
      'q',
      'page',
      'before',
      'channel',
      'category',
      'sort',
      'severity',
    ),
    text,
    { maxKeys: 4 },
  );

  it('answers any cursor and query with a page or a problem', patience, async () => {
    const headers = { authorization: `Bearer ${CONSOLE_TOKEN}` };
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...LISTS), query, fc.option(cursor), async (list, given, at) => {
        const search = new URLSearchParams({ ...given, ...(at !== null && { cursor: at }) });
        const answer = await site.ask(`/api/v1/${list}?${search.toString()}`, { headers });
        expect([
          `${list}?${search.toString()}`,
          [200, 400, 404, ...(list === 'audit' ? [503] : [])].includes(answer.status),
        ]).toEqual([`${list}?${search.toString()}`, true]);
      }),
      runs(400),
    );
    expect(newErrors()).toEqual([]);
  });

  it.each([
    'stats?from=-271821-04-20T00:00:00Z',
    'stats?to=%2B275760-09-13T00:00:00Z',
    'issues?offset=9007199254740991',
    'suggestions?episodes=1e300&seconds=1e308',
    `notices?cursor=${Buffer.from('["0","a\\u0000"]').toString('base64url')}`,
    `decisions?cursor=${Buffer.from('"\\u0000"').toString('base64url')}`,
  ])('answers /api/v1/%s without an error', async (path) => {
    const answer = await site.ask(`/api/v1/${path}`, {
      headers: { authorization: `Bearer ${CONSOLE_TOKEN}` },
    });
    expect([200, 400]).toContain(answer.status);
    expect(newErrors()).toEqual([]);
  });

  it('and the pages answer any path and query without an error', patience, async () => {
    const signedIn = { cookie: `__Host-alertgest-session=${signSession(CONSOLE_TOKEN, 'ann', new Date())}` };
    const path = fc.oneof(
      fc.constantFrom('/', '/issues', '/digests', '/deliveries', '/setup', '/issues/suggestions'),
      fc
        .tuple(fc.constantFrom('/issues/', '/digests/', '/digests/a/', '/api/v1/issues/'), text)
        .map(([folder, name]) => folder + encodeURIComponent(name.toWellFormed()).replaceAll('.', '%2E')),
    );
    await fc.assert(
      fc.asyncProperty(path, query, async (where, given) => {
        const search = new URLSearchParams(given).toString();
        const answer = await site.ask(`${where}?${search}`, { headers: signedIn });
        expect([where, search, answer.status < 500]).toEqual([where, search, true]);
      }),
      runs(150),
    );
    expect(newErrors()).toEqual([]);
  });

  it('refuses decisions of any shape in words, and records none of them twice', patience, async () => {
    const { pattern } = await makeLink(pool);
    const body = fc.oneof(
      hostileJson.map((value) => JSON.stringify(value) ?? ''),
      fc
        .record(
          { kind: fc.oneof(fc.constant('ignore'), text), until: text, note: text, actor: text },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(body, async (given) => {
        const answer = await site.ask(`/api/v1/issues/${pattern}/decisions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${CONSOLE_TOKEN}`, 'content-type': 'application/json' },
          body: given,
        });
        expect([given, [201, 400].includes(answer.status)]).toEqual([given, true]);
      }),
      runs(150),
    );
    expect(newErrors()).toEqual([]);
  });
});

describe('the target of a request', () => {
  it('is a path of the console, or refused in words', patience, () => {
    const target = fc.oneof(
      hostileText.map((text) => text.replaceAll(/[^\x21-\x7e]/g, '%')),
      fc.constantFrom(
        '//evil.example/',
        '@evil.example/',
        ':99999',
        'http://evil.example/',
        '*',
        '/\\evil',
        '/%',
        '',
      ),
    );
    const method = fc.constantFrom('GET', 'POST', 'TRACE', 'TRACK', 'PROPFIND', 'get', 'M-SEARCH');
    fc.assert(
      fc.property(target, method, (path, verb) => {
        const request = unlessRefused(() =>
          toWebRequest({
            method: verb,
            path,
            query: new URLSearchParams('a=1'),
            headers: { host: 'console' },
            body: Buffer.from('x'),
            remoteAddress: '127.0.0.1',
          }),
        );
        expect(['console', null]).toContain(request === null ? null : new URL(request.url).host);
      }),
      runs(500),
    );
  });
});
