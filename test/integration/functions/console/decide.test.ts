/** The links behind "Not concerning" against a real Postgres: who may act, once, on what, and what is left behind. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signLink } from '../../../../shared/decision-link.ts';
import { appendDecision, currentDecision } from '../../../../shared/postgres/decisions.ts';
import type { Decision } from '../../../../shared/postgres/decisions.ts';
import { ensureLink } from '../../../../shared/postgres/decision-links.ts';
import { rollUpHistory } from '../../../../shared/postgres/history.ts';
import { createPool, transaction } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import { PREVIEWS } from '../../../support/link-previews.ts';
import {
  CONSOLE_TOKEN,
  DECISION_KEYS,
  createTestConsole,
  dumpTables,
  makeLink,
} from '../../../support/console.ts';
import type { TestConsole, TestLink } from '../../../support/console.ts';
import { createTestDatabase } from '../../../support/database.ts';

let pool: Pool;
let home: TestConsole;
let address = 0;

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 8 });
  home = createTestConsole(pool);
});
afterAll(() => pool.end());

/** An address of a network that no other test used. */
const somewhere = (): string => `198.51.${++address}.9`;
const decisionOf = (pattern: string): Promise<Decision | null> => currentDecision(pool, pattern, new Date());
const decide = (link: TestLink, fields: Record<string, string> = {}, from = somewhere()): Promise<Response> =>
  home.post(`/d/${link.token}`, { kind: 'ignore', term: '7d', ...fields }, from);
const press = (link: TestLink, from = somewhere(), at: TestConsole = home): Promise<Response> =>
  at.ask('/d', { method: 'POST', headers: { 'x-alertgest-decision': link.token }, from });

describe('the page', () => {
  it('says in words what would be ignored, and for how long it may be', async () => {
    const link = await makeLink(pool, { labels: { namespace: 'shop' } });
    const answer = await home.ask(`/d/${link.token}`);
    const text = await answer.text();
    expect(answer.status).toBe(200);
    for (const words of [
      'PodNotReady',
      'warning',
      'shop',
      'api',
      '1 hour',
      '30 days',
      'Until it changes',
      'Snooze',
    ])
      expect(text).toContain(words);
    expect(text).toMatch(/value="until-it-changes" checked/);
    expect(text).not.toContain('<script');
  });

  it('may not be cached, framed, indexed or told to others', async () => {
    const link = await makeLink(pool);
    const { headers } = await home.ask(`/d/${link.token}`);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-robots-tag')).toContain('noindex');
    expect(headers.get('set-cookie')).toMatch(/^__Host-.*SameSite=Strict; Secure$/);
    const policy = headers.get('content-security-policy');
    for (const rule of [
      "default-src 'none'",
      "style-src 'nonce-",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ])
      expect(policy).toContain(rule);
  });

  it('shows hostile labels as text', async () => {
    const link = await makeLink(pool, { labels: { deployment: '"><script>alert(1)</script>' } });
    expect(await (await home.ask(`/d/${link.token}`)).text()).not.toContain('<script>');
  });

  it('changes nothing for twenty programs that preview links, whatever they ask', async () => {
    const link = await makeLink(pool);
    const undo = await makeLink(pool, { of: link, purpose: 'undo', undoGeneration: 0 });
    // The page's back-test counts hours that are over; that is done here, so that nothing at all is left to write.
    await rollUpHistory(pool, 30);
    const before = await dumpTables(pool);
    expect(PREVIEWS).toHaveLength(20);
    for (const agent of PREVIEWS) {
      const headers = { 'user-agent': agent };
      for (const path of [`/d/${link.token}`, `/d/${undo.token}`, '/d']) {
        for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST'])
          await (await home.ask(path, { method, headers })).arrayBuffer();
      }
      await home.ask(`/d/${link.token}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        body: 'kind=ignore&term=7d&form=guess',
      });
    }
    expect(await dumpTables(pool)).toBe(before);
  });

  it('has no body for HEAD, and the same headers', async () => {
    const link = await makeLink(pool);
    const answer = await home.ask(`/d/${link.token}`, { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });
});

describe('a decision by the page', () => {
  it('holds, says until when, tells the channels and offers to undo it', async () => {
    const link = await makeLink(pool);
    const answer = await decide(link, { note: 'backup runs' });
    const text = await answer.text();
    expect(answer.status).toBe(200);
    expect(text).toContain('Ignored until');
    expect(text).toMatch(/action="\/d\/v1\.[\w-]{22}\.[\w-]{22}"/);
    const decision = await decisionOf(link.pattern);
    expect(decision).toMatchObject({
      kind: 'ignore',
      actor: 'link:ntfy',
      note: 'backup runs',
      generation: 1,
    });
    const daysLeft = ((decision?.until?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(daysLeft).toBeGreaterThan(6.99);
    expect(daysLeft).toBeLessThanOrEqual(7.001);
    const { rows } = await pool.query(
      'select id, kind, why, status, decision from notices where pattern = $1 and decision is not null',
      [link.pattern],
    );
    expect(rows).toEqual([
      {
        id: expect.stringMatching(/\.decided-1$/) as string,
        kind: 'due',
        why: 'decided',
        status: 'received',
        decision: '1',
      },
    ]);
    expect(home.rung).toContain((rows[0] as { id: string }).id);
    const { rows: used } = await pool.query(
      'select used_from, generation, used_at is not null as used from decision_links where id = $1',
      [link.id],
    );
    expect(used).toEqual([
      { used_from: expect.stringMatching(/^198\.51\.\d+\.0\/24$/) as string, generation: '1', used: true },
    ]);
  });

  it.each(['ignore', 'snooze'] as const)(
    'makes what still fires news again when the %s is over',
    async (kind) => {
      const link = await makeLink(pool);
      await decide(link, { kind, term: '1h' });
      const { rows } = await pool.query(
        'select due_why, due_at > alert_now() as ahead from incidents where pattern = $1',
        [link.pattern],
      );
      expect(rows).toEqual([{ due_why: `${kind} over`, ahead: true }]);
    },
  );

  it('is undone once: what held before holds again, and what fires is news at once', async () => {
    const link = await makeLink(pool);
    await transaction(pool, (client) =>
      appendDecision(client, link.pattern, { kind: 'quiet', until: null, note: null, actor: 'ann' }),
    );
    const done = await (await decide(link)).text();
    const undoPath = /action="(\/d\/[^"]+)"/.exec(done)?.[1] ?? '';
    expect(await (await home.ask(undoPath)).text()).toContain('Undo the decision?');
    const undone = await home.post(undoPath, {}, somewhere());
    expect(await undone.text()).toContain('Undone');
    expect(await decisionOf(link.pattern)).toMatchObject({
      kind: 'quiet',
      actor: expect.stringMatching(/^link:/),
      generation: 3,
    });
    const { rows } = await pool.query('select due_why from incidents where pattern = $1', [link.pattern]);
    expect(rows).toEqual([{ due_why: 'decision revoked' }]);
    expect((await home.ask(undoPath)).status).toBe(404);
  });

  it('is not undone by an old link once somebody decided again; a note is no such decision', async () => {
    const link = await makeLink(pool);
    const done = await (await decide(link)).text();
    const undoPath = /action="(\/d\/[^"]+)"/.exec(done)?.[1] ?? '';
    const say = (kind: 'note' | 'digest'): Promise<unknown> =>
      transaction(pool, (client) =>
        appendDecision(client, link.pattern, { kind, until: null, note: 'n', actor: 'ann' }),
      );
    await say('note');
    expect((await home.ask(undoPath)).status).toBe(200);
    await say('digest');
    expect((await home.ask(undoPath)).status).toBe(404);
    expect(await decisionOf(link.pattern)).toMatchObject({ kind: 'digest' });
  });

  it('needs the form that the same browser opened, and uses nothing up without it', async () => {
    const link = await makeLink(pool);
    const body = 'kind=ignore&term=7d';
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' };
    const answer = await home.ask(`/d/${link.token}`, { method: 'POST', headers, body });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('press the button again');
    expect(await decisionOf(link.pattern)).toBeNull();
    expect((await decide(link)).status).toBe(200);
  });

  it.each([
    [{ kind: 'snooze', term: 'until-it-changes' }, 'needs an end'],
    [{ kind: 'forget' }, 'choose'],
  ])('%j is refused in words and can be corrected', async (fields, words) => {
    const link = await makeLink(pool);
    const answer = await decide(link, fields);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(words);
    expect((await decide(link)).status).toBe(200);
  });
});

describe('a link', () => {
  it('has one winner of forty at once', async () => {
    const link = await makeLink(pool);
    const answers = await Promise.all(Array.from({ length: 40 }, () => press(link, '192.0.2.9')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(39);
    const { rows } = await pool.query('select count(*)::int as n from decisions where pattern = $1', [
      link.pattern,
    ]);
    expect(rows).toEqual([{ n: 1 }]);
  });

  it('has one winner of forty at once from forty networks', async () => {
    const link = await makeLink(pool);
    const answers = await Promise.all(Array.from({ length: 40 }, () => press(link)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(39);
  });

  it('of the old key works, of an unknown key does not', async () => {
    const old = await makeLink(pool, { keys: [DECISION_KEYS[1] ?? ''] });
    expect((await press(old)).status).toBe(200);
    const foreign = await makeLink(pool, { keys: ['f'.repeat(32)] });
    expect((await press(foreign)).status).toBe(404);
    expect(await decisionOf(foreign.pattern)).toBeNull();
  });

  it('looks the same whether it was used, is over, was forged or never was', async () => {
    const used = await makeLink(pool);
    await press(used);
    const over = await makeLink(pool);
    await pool.query(
      `update decision_links set expires_at = clock_timestamp() - interval '1 second' where id = $1`,
      [over.id],
    );
    const forged = await makeLink(pool, { keys: ['f'.repeat(32)] });
    const unknown = signLink(DECISION_KEYS, crypto.randomUUID());
    const tokens = [used.token, over.token, forged.token, unknown, 'v1.x', 'x'.repeat(5_000)];
    const pages = await Promise.all(
      tokens.flatMap((token) =>
        (['GET', 'POST'] as const).map(async (method) => {
          const answer = await home.ask(`/d/${token}`, { method });
          const text = (await answer.text()).replaceAll(/nonce="[^"]*"/g, '');
          return `${answer.status} ${[...answer.headers.keys()].join()} ${text}`;
        }),
      ),
    );
    expect(new Set(pages).size).toBe(1);
    expect(pages[0]).toMatch(/^404 .*This link does nothing any more/s);
    const posts = await Promise.all(
      tokens.map(async (token) => {
        const answer = await home.ask('/d', { method: 'POST', headers: { 'x-alertgest-decision': token } });
        return `${answer.status} ${await answer.text()}`;
      }),
    );
    expect(new Set(posts).size).toBe(1);
    expect(await decisionOf(over.pattern)).toBeNull();
  });

  it('of a message that is sent again is the one it had', async () => {
    const link = await makeLink(pool);
    const wanted = {
      pattern: link.pattern,
      notice: link.notice,
      purpose: 'decide',
      undoGeneration: null,
    } as const;
    expect(await ensureLink(pool, { ...wanted, channel: 'ntfy' })).toBe(link.id);
    expect(await ensureLink(pool, { ...wanted, channel: 'gotify' })).not.toBe(link.id);
  });

  it('is refused, and said loudly, when its network tries more than three within ten seconds', async () => {
    const links = await Promise.all(Array.from({ length: 5 }, () => makeLink(pool)));
    const from = somewhere();
    const statuses = [];
    for (const link of links) statuses.push((await press(link, from)).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    expect(home.errors.at(-1)).toMatchObject({ network: from.replace(/9$/, '0/24') });
    const [, , , , last] = links;
    expect((await press(last as TestLink)).status).toBe(200);
    await pool.query(
      `update decision_links set tried_at = tried_at - interval '11 seconds' where tried_from is not null`,
    );
    expect((await press(links[3] as TestLink, from)).status).toBe(200);
  });
});

describe('cookies', () => {
  it.each([
    ['https://alertgest.example.org', /^__Host-.*; Secure$/],
    ['http://127.0.0.1:8080', /^__Host-.*; Secure$/],
    ['http://192.168.1.5:8080', /^alertgest-form=(?!.*Secure)/],
  ])('of a console at %s are such that browsers keep them', async (url, cookie) => {
    const link = await makeLink(pool);
    const there = createTestConsole(pool, { CONSOLE_URL: url });
    expect((await there.ask(`/d/${link.token}`)).headers.get('set-cookie')).toMatch(cookie);
    const fields = { kind: 'quiet', term: '1d' };
    expect((await there.post(`/d/${link.token}`, fields, somewhere())).status).toBe(200);
  });
});

describe('the button', () => {
  it('ignores by default until it changes, at most as long as the company allows', async () => {
    const [free, bounded] = [await makeLink(pool), await makeLink(pool)];
    expect(await (await press(free)).json()).toEqual({ decided: true, text: 'ignored until it changes' });
    expect(await decisionOf(free.pattern)).toMatchObject({ kind: 'ignore', until: null });
    const company = createTestConsole(pool, { ANONYMOUS_IGNORE_MAX: '7d' });
    expect((await press(bounded, somewhere(), company)).status).toBe(200);
    expect((await decisionOf(bounded.pattern))?.until).toBeInstanceOf(Date);
  });

  it('undoes with the token of an undo', async () => {
    const link = await makeLink(pool);
    await press(link);
    const undo = await makeLink(pool, { of: link, purpose: 'undo', undoGeneration: 1, channel: 'gotify' });
    expect(await (await press(undo)).json()).toEqual({ decided: true, text: 'undone' });
    expect(await decisionOf(link.pattern)).toBeNull();
  });

  it('may be pressed from a page of ntfy, which asks first', async () => {
    const { headers, status } = await home.ask('/d', {
      method: 'OPTIONS',
      headers: { origin: 'https://ntfy.sh' },
    });
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-headers')).toBe('X-Alertgest-Decision');
  });
});

describe('a critical issue', () => {
  it('is not silenced by a link: 409 and a way to sign in', async () => {
    const link = await makeLink(pool, { labels: { severity: 'critical' } });
    const page = await (await home.ask(`/d/${link.token}`)).text();
    expect(page).toContain('Sign in');
    expect(page).not.toContain('<form');
    expect((await press(link)).status).toBe(409);
    const session = await signInAs('ann');
    const shown = await home.ask(`/d/${link.token}`, { headers: { cookie: session } });
    const cookie = `${session}; ${shown.headers.getSetCookie()[0]?.split(';')[0]}`;
    const [, form = ''] = /name="form" value="([^"]*)"/.exec(await shown.text()) ?? [];
    const post = (fields: Record<string, string>, cookies = cookie): Promise<Response> =>
      home.ask(`/d/${link.token}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          cookie: cookies,
          'sec-fetch-site': 'same-origin',
        },
        body: new URLSearchParams({ kind: 'ignore', term: '30d', form, ...fields }).toString(),
        from: somewhere(),
      });
    expect((await post({ note: 'planned work' }, cookie.replace(session, ''))).status).toBe(409);
    expect((await post({})).status).toBe(409);
    expect((await post({ note: 'planned work' })).status).toBe(200);
    expect(await decisionOf(link.pattern)).toMatchObject({ actor: 'ann', note: 'planned work' });
  });
});

async function signInAs(name: string): Promise<string> {
  const answer = await home.post('/sign-in', { token: CONSOLE_TOKEN, name });
  expect(answer.status).toBe(303);
  const [cookie = ''] = answer.headers.getSetCookie();
  expect(cookie).toMatch(/^__Host-alertgest-session=.*HttpOnly; SameSite=Lax; Secure$/);
  return cookie.split(';')[0] ?? '';
}

describe('signing in', () => {
  it('sends people to the page and scripts away', async () => {
    const page = await home.ask('/issues?sort=latest');
    expect(page.status).toBe(303);
    expect(page.headers.get('location')).toBe('/sign-in?next=%2Fissues%3Fsort%3Dlatest');
    expect((await home.ask('/api/v1/issues')).status).toBe(401);
  });

  it('refuses another token, and a form that was not opened here', async () => {
    expect((await home.post('/sign-in', { token: 'wrong', name: 'eve' })).status).toBe(401);
    const form = new URLSearchParams({ token: CONSOLE_TOKEN, form: 'guess' }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await home.ask('/sign-in', { method: 'POST', headers, body: form })).status).toBe(403);
  });

  it('opens pages and API, makes the person the actor, and does not work from another site', async () => {
    const cookie = await signInAs('ann');
    expect((await home.ask('/issues', { headers: { cookie } })).status).toBe(200);
    const { pattern } = await makeLink(pool);
    const post = (headers: Record<string, string>): Promise<Response> =>
      home.ask(`/api/v1/issues/${pattern}/decisions`, {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json', ...headers },
        body: '{"kind":"quiet","actor":"eve"}',
      });
    expect((await post({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await post({ origin: 'https://evil.example', host: 'console' })).status).toBe(403);
    expect((await post({ 'sec-fetch-site': 'same-origin' })).status).toBe(201);
    expect(await decisionOf(pattern)).toMatchObject({ kind: 'quiet', actor: 'ann' });
  });

  it('by a proxy works only through that proxy', async () => {
    const company = createTestConsole(pool, {
      TRUSTED_USER_HEADER: 'X-Forwarded-User',
      TRUSTED_PROXIES: '10.42.0.7',
    });
    const ask = (forwarded: string): Promise<Response> =>
      company.ask('/api/v1/issues', {
        from: '127.0.0.1',
        headers: { 'x-forwarded-user': 'ann', 'x-forwarded-for': forwarded },
      });
    expect((await ask('203.0.113.9, 10.42.0.7')).status).toBe(200);
    expect((await ask('203.0.113.9')).status).toBe(401);
    expect((await ask('203.0.113.9, 10.42.0.7, 10.42.0.99')).status).toBe(401);
  });
});
