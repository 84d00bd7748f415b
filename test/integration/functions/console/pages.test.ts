/** The pages against a real Postgres with a month of history: every page renders small, in any zone, and hostile text stays text. */
import { readFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CloudEvent } from 'cloudevents';
import { createPages } from '../../../../functions/console/pages/index.ts';
import { readNightClock, suggest } from '../../../../functions/console/time-machine.ts';
import { createSignIn } from '../../../../functions/console/sign-in.ts';
import { createIngest } from '../../../../functions/receive/ingest.ts';
import { storeTest, takeTests } from '../../../../shared/postgres/channel-tests.ts';
import { appendDecision } from '../../../../shared/postgres/decisions.ts';
import { rollUpHistory } from '../../../../shared/postgres/history.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import { seedConsole } from '../../../support/console-history.ts';
import { readCorpusLines, whyNoCorpora } from '../../../support/corpora.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { normalizeAlert, parseWebhook } from '../../../../shared/alert.ts';
import { toPattern } from '../../../../shared/pattern.ts';

const TOKEN = 'console-token-0123456789';
const BEARER = { authorization: `Bearer ${TOKEN}` };
const FIRST_VIEW_BYTES = 50_000;
const noCorpora = whyNoCorpora('hostile bodies on the pages');

let pool: Pool;
let app: ReturnType<typeof createPages>;
const published: Array<CloudEvent<unknown>> = [];

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 4 });
  await seedConsole(pool);
  const signIn = createSignIn({
    token: TOKEN,
    allowAnyone: false,
    userHeader: null,
    proxies: new BlockList(),
    secureCookies: true,
  });
  app = createPages({
    pool,
    publisher: { publish: (events) => (published.push(...events), Promise.resolve([])) },
    source: { cluster: 'test', name: 'console' },
    signIn,
    zone: 'UTC',
    variables: [
      { name: 'DATABASE_URL', isSet: true },
      { name: 'CONSOLE_TOKEN', isSet: false },
    ],
    backTest: (_pattern, { kind }) => Promise.resolve([`${kind} would have hidden 3 alerts.`]),
    // Whatever heals within the hour: the sample alerts last half of one.
    suggestions: async () => suggest(pool, await readNightClock({}), { episodes: 10, seconds: 3_600 }),
    log: pino({ level: 'silent' }),
  });
});
afterAll(() => pool.end());

async function get(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string; headers: Headers }> {
  const response = await app.request(path, { headers: { ...BEARER, ...headers } });
  return { status: response.status, body: await response.text(), headers: response.headers };
}

async function post(
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string; location: string | null }> {
  const page = await get('/issues');
  const cookie = page.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const form = await get((await anIssue()) ?? '', { cookie });
  const field = /name="form" value="([^"]+)"/.exec(form.body)?.[1] ?? '';
  const response = await app.request(path, {
    method: 'POST',
    headers: {
      ...BEARER,
      cookie,
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
      ...headers,
    },
    body: new URLSearchParams({ form: field, ...fields }),
  });
  return { status: response.status, body: await response.text(), location: response.headers.get('location') };
}

async function patternOf(alertname: string): Promise<string> {
  const { rows } = await pool.query<{ pattern: string }>(
    'select pattern from patterns where alertname = $1',
    [alertname],
  );
  return rows[0]?.pattern ?? 'none';
}

const anIssue = async (): Promise<string> => `/issues/${await patternOf('NodeMemoryPressure')}`;

async function paths(): Promise<string[]> {
  const digest = /href="(\/digests\/[^"]+)"/.exec((await get('/digests')).body)?.[1] ?? '';
  return [
    '/',
    '/issues',
    '/issues?sort=hits&open=no',
    '/issues/suggestions',
    await anIssue(),
    '/digests',
    digest,
    '/deliveries',
    '/deliveries?status=dead',
    '/setup',
  ];
}

describe('every page', () => {
  it('renders whole, within the size of a first view, and allows no script', async () => {
    for (const path of await paths()) {
      const { status, body, headers } = await get(path);
      expect(status, path).toBe(200);
      expect(Buffer.byteLength(body), path).toBeLessThan(FIRST_VIEW_BYTES);
      expect(body, path).toContain('</html>');
      expect(body, path).not.toMatch(/<script|\son\w+=|style="|\[object |undefined|NaN/i);
      const nonce = /<style nonce="([^"]+)">/.exec(body)?.[1] ?? 'none';
      expect(headers.get('content-security-policy'), path).toContain(`style-src 'nonce-${nonce}'`);
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  it('shows times in the zone that was chosen, and remembers it', async () => {
    for (const path of await paths()) {
      const { body, headers } = await get(`${path}${path.includes('?') ? '&' : '?'}zone=Asia/Kolkata`);
      expect(body.includes('<time'), path).toBe(body.includes('GMT+5:30'));
      expect(headers.getSetCookie().join('\n')).toContain('alertgest-zone=Asia%2FKolkata');
    }
    const { body } = await get('/', { cookie: '__Host-alertgest-zone=Asia%2FTokyo' });
    expect(body).toContain('GMT+9');
  });

  it('falls back to the zone of the console when the chosen one is none', async () => {
    const { body, headers } = await get('/?zone=Mars/Olympus');
    expect(body).toContain('value="UTC"');
    expect(headers.getSetCookie().join('\n')).not.toContain('zone');
  });

  it('keeps what was asked for when the zone is changed', async () => {
    const { body } = await get('/issues?q=borg&zone=UTC');
    expect(body).toContain('<input type="hidden" name="q" value="borg"');
  });

  it('is closed to those who did not sign in', async () => {
    for (const path of await paths()) {
      const response = await app.request(path);
      expect(response.status, path).toBe(303);
      expect(response.headers.get('location')).toMatch(/^\/sign-in\?next=/);
    }
    expect((await app.request('/issues/x', { method: 'POST' })).status).toBe(401);
  });

  it('says so when there is nothing at an address', async () => {
    expect((await get('/issues/v1:none')).status).toBe(404);
    expect((await get('/digests/2001-01-01T00:00:00Z/2001-01-02T00:00:00Z')).status).toBe(404);
    expect((await get('/digests/x/y')).status).toBe(404);
    expect((await get('/digests/+275760-01-01/+275760-01-02')).status).toBe(404);
    expect((await get('/issues/%00')).status).toBe(404);
    expect((await get('/issues?q=%00')).status).toBe(404);
  });
});

describe('Now', () => {
  it('lists open incidents, criticals first, with why nobody was told', async () => {
    const { body } = await get('/');
    expect(body).toContain('4 open incidents, 1 critical');
    expect(body.indexOf('PostgresDown')).toBeLessThan(body.indexOf('KubePodCrashLooping'));
  });

  it('is loud when the audit is not clean', async () => {
    expect((await get('/')).body).toContain('Everything received was decided');
    await pool.query(
      `update notices set status = 'dead', status_at = now() where id = (select max(id) from notices where status = 'notified')`,
    );
    const { body } = await get('/');
    expect(body).toContain('The pipeline is not clean');
    expect(body).toContain('could not be told to anyone in the last day');
  });
});

describe('Issues', () => {
  it('puts criticals that fire first, then what is silenced and still happens', async () => {
    const { body } = await get('/issues');
    const order = [
      'PostgresDown',
      'CertificateExpiresSoon',
      'CPUThrottlingHigh',
      'WireguardPeerSilent',
      'NodeMemoryPressure',
    ];
    const places = order.map((name) => body.indexOf(`>${name}<`));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(Math.min(...places)).toBeGreaterThan(0);
  });

  it.each([
    ['q=BORG', ['BackupLate'], ['PostgresDown']],
    ['severity=critical', ['PostgresDown', 'CertificateExpiresSoon'], ['BackupLate']],
    ['category=vpn', ['WireguardPeerSilent'], ['BackupLate']],
    ['decision=ignore', ['WireguardPeerSilent'], ['CPUThrottlingHigh']],
    ['decision=none', ['BackupLate'], ['WireguardPeerSilent']],
    ['open=yes', ['QueueBacklog'], ['BackupLate']],
    ['severity=nonsense&page=zero&sort=wrong', ['PostgresDown'], []],
  ])('with %s shows %j and not %j', async (query, shown, hidden) => {
    const { body } = await get(`/issues?${query}`);
    for (const name of shown) expect(body).toContain(`>${name}<`);
    for (const name of hidden) expect(body).not.toContain(`>${name}<`);
  });

  it('says who decided, until when and why, beside the hits', async () => {
    const { body } = await get('/issues?q=Wireguard');
    expect(body).toContain('by anna');
    expect(body).toContain('The phone sleeps at night');
    expect(body).toMatch(/aria-label="\d+ hits in 30 days, \d+ in the last 7"/);
  });
});

describe('Suggestions', () => {
  it('names what always healed alone, how often and for how long, and leads to the decision', async () => {
    await rollUpHistory(pool, 30);
    expect((await get('/issues/suggestions')).body).toContain('Nothing is noise');
    const { rows } = await pool.query<{ pattern: string }>(
      `select pattern from patterns where alertname = 'WireguardPeerSilent'`,
    );
    const revoke = { kind: 'revoke', until: null, note: null, actor: 'anna' } as const;
    await appendDecision(pool, rows[0]?.pattern ?? '', revoke);
    const { body } = await get('/issues/suggestions');
    expect(body).toContain('WireguardPeerSilent');
    expect(body).toMatch(/24 alerts on \d+ days, all healed alone, the longest after 30 min/);
    expect(body).toContain('Had it been ignored for the last 30 days');
    expect(body).toMatch(/href="\/issues\/v1%3A[0-9a-f]+#decide"/);
    expect(body).not.toContain('PostgresDown');
  });
});

describe('an issue', () => {
  it('tells what happened and why somebody was or was not told', async () => {
    const { body } = await get(await anIssue());
    expect(body).toContain('It began: received');
    expect(body).toContain('Told: first alert of a new incident');
    expect(body).toMatch(/Sent to phone/);
    const untold = await get(`/issues/${await patternOf('CPUThrottlingHigh')}`);
    expect(untold.body).toContain('Not told: kept for the digest by anna until it is taken back');
  });

  it('names the labels that count and why others do not', async () => {
    const { body } = await get(await anIssue());
    expect(body).toContain('What makes it this issue');
    expect(body).toContain('worker-2');
    expect(body).toContain('Labels that do not count');
  });

  it('records a decision once the form is its own, and takes it back', async () => {
    const path = await anIssue();
    expect(await post(path, { kind: 'quiet', for: '7d', note: 'known' })).toMatchObject({
      status: 303,
      location: `${path.replace(':', '%3A')}?done=quiet#decide`,
    });
    expect((await get(path)).body).toContain('known');
    expect(await post(path, { kind: 'revoke' })).toMatchObject({ status: 303 });
    expect((await get('/issues?decision=quiet')).body).not.toContain('NodeMemoryPressure');
  });

  it('refuses a form of another site, an old one, and a critical silenced without a word', async () => {
    const path = await anIssue();
    expect(
      await post(path, { kind: 'ignore' }, { 'sec-fetch-site': 'cross-site', authorization: '' }),
    ).toMatchObject({ status: 401 });
    expect((await post(path, { kind: 'ignore', form: 'forged' })).status).toBe(403);
    const critical = `/issues/${await patternOf('CertificateExpiresSoon')}`;
    const refused = await post(critical, { kind: 'ignore', for: '1d', note: ' ' });
    expect(refused.status).toBe(400);
    expect(refused.body).toContain('only silenced with a note');
    expect((await post(critical, { kind: 'snooze', for: 'until-it-changes', note: 'x' })).body).toContain(
      'a snooze needs a time',
    );
  });

  it('says what a decision would have done, and decides nothing', async () => {
    const { body, status } = await post(await anIssue(), { kind: 'ignore', for: '7d', act: 'try' });
    expect(status).toBe(200);
    expect(body).toContain('ignore would have hidden 3 alerts.');
    expect((await get('/issues?decision=ignore')).body).not.toContain('NodeMemoryPressure');
  });
});

describe('deliveries', () => {
  it('sends a failed one again: planned now, its notice admitted, notify rung for', async () => {
    const { rows } = await pool.query<{ id: string; notice: string }>(
      `select id, notice from deliveries where status = 'dead' order by id limit 1`,
    );
    const [dead] = rows;
    expect((await get('/deliveries?status=dead')).body).toContain('quota reached');
    published.length = 0;
    expect((await post(`/deliveries/${dead?.id}/resend`, {})).body).toContain('It is being sent again.');
    expect(published).toMatchObject([{ type: 'dev.alertgest.delivery.due', subject: dead?.notice }]);
    const after = await pool.query(
      `select d.status, n.status as notice from deliveries d join notices n on n.id = d.notice where d.id = $1`,
      [dead?.id],
    );
    expect(after.rows).toEqual([{ status: 'planned', notice: 'admitted' }]);
  });

  it('does nothing for one that was sent, or for a form that is not its own', async () => {
    const { rows } = await pool.query<{ id: string }>(
      `select id from deliveries where status = 'sent' limit 1`,
    );
    expect((await post(`/deliveries/${rows[0]?.id}/resend`, {})).body).toContain('nothing to send again');
    expect((await post(`/deliveries/${rows[0]?.id}/resend`, { form: '' })).status).toBe(403);
  });
});

describe('Setup', () => {
  it('asks for a test of a channel, rings for notify, and shows the answer', async () => {
    published.length = 0;
    expect((await post('/setup/test', { channel: 'ntfy' })).body).toContain('The test is on its way');
    expect(published).toMatchObject([{ type: 'dev.alertgest.test.due', data: { channel: 'ntfy' } }]);
    expect((await get('/setup')).body).toContain('notify has not taken it up yet');
    expect(await takeTests(pool)).toEqual([{ channel: 'ntfy', asked_by: 'console token' }]);
    await storeTest(pool, {
      channel: 'ntfy',
      by: 'ann',
      taken: false,
      answer: 'not taken: ntfy answered 403',
    });
    expect((await get('/setup')).body).toMatch(/refused<.*ntfy<.*not taken: ntfy answered 403/s);
  });

  it('says what doctor finds in the database, and what to do about it', async () => {
    const { body } = await get('/setup');
    expect(body).toMatch(/fine<.*Connections<.*that the server allows/s);
    expect(body).toContain('the database agrees within');
    expect(body).toMatch(/broken<.*Deliveries .*refused for good in the last day.*send-test/s);
  });

  it('asks for nothing by a form that is not its own', async () => {
    published.length = 0;
    const response = await app.request('/setup/test', {
      method: 'POST',
      headers: BEARER,
      body: 'channel=ntfy',
    });
    expect(response.status).toBe(403);
    expect(await takeTests(pool)).toEqual([]);
    expect(published).toEqual([]);
  });
});

describe('hostile text', () => {
  const texts = JSON.parse(
    readFileSync(new URL('../../../fixtures/hostile-texts.json', import.meta.url), 'utf8'),
  ) as Array<{ title: string; text: string }>;

  /** Markup that only a failure to escape can bring in: every tag and attribute of ours is known. */
  const HOSTILE = /^<(?:script|img|iframe|object|embed|a[^>]*href="(?!\/|https?:|#))/i;

  /** What of the pages would act, or is too long; nothing when all is well. */
  async function findTrouble(): Promise<string[]> {
    const patterns = await pool.query<{ pattern: string }>(
      'select pattern from patterns where not heartbeat',
    );
    const all = [...(await paths()), ...patterns.rows.map(({ pattern }) => `/issues/${pattern}`)];
    const troubles: string[] = [];
    for (const path of all) {
      const { status, body } = await get(path);
      if (status !== 200) troubles.push(`${path}: ${status}`);
      if (Buffer.byteLength(body) >= FIRST_VIEW_BYTES)
        troubles.push(`${path}: ${Buffer.byteLength(body)} bytes`);
      const live = (body.match(/<[^<>]*>/g) ?? []).filter(
        (tag) => HOSTILE.test(tag) || /\son\w+\s*=|javascript:/i.test(tag.replaceAll(/="[^"]*"/g, '')),
      );
      troubles.push(...live.map((tag) => `${path}: ${tag}`));
    }
    return troubles;
  }

  it('of labels, annotations, notes, channels and providers renders as text on every page', async () => {
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
    const now = new Date();
    for (const { text } of texts) {
      const alert = normalizeAlert(
        {
          status: 'firing',
          labels: {
            alertname: text.slice(0, 200) || 'x',
            severity: 'critical',
            namespace: text,
            deployment: text,
            [text.slice(0, 60)]: text,
          },
          annotations: { summary: text, description: text, runbook_url: text },
          startsAt: now.toISOString(),
          generatorURL: text,
        },
        'firing',
        { receivedAt: now, cluster: 'test' },
      );
      if (typeof alert === 'string') continue;
      await ingest.store(
        [
          {
            alert,
            pattern: toPattern(alert, { cluster: 'test' }),
            receivedAt: now,
            traceparent: '',
            own: false,
          },
        ],
        now,
      );
    }
    const clean = texts.map(({ text }) => text.replaceAll('\0', ''));
    await pool.query(`update notices set why = $1, status = 'dead', missing = array[$1]`, [clean[0]]);
    await pool.query(
      `insert into deliveries (notice, channel, status, last_error) select id, $1, 'dead', $1 from notices order by created_at desc limit 5`,
      [clean[1]],
    );
    await pool.query(
      `insert into decisions (pattern, kind, note, actor, generation, decided_at) select pattern, 'note', $1, $1, 900, now() from patterns`,
      [clean[0]],
    );
    await pool.query(
      `update patterns set classification = jsonb_build_object('category', $1::text, 'nextStep', $1::text, 'runbookUrl', 'javascript:alert(1)')`,
      [clean[0]],
    );
    await pool.query(
      `insert into dead_letters (event_id, type, detail, subject, destination) values ('1', $1, $1, $1, $1)`,
      [clean[1]],
    );
    expect(await findTrouble()).toEqual([]);
    expect((await get('/deliveries')).body).toContain('&lt;img src=x');
  });

  it.skipIf(noCorpora !== null)('of the corpus of bad bodies renders as text on every page', async () => {
    const ingest = createIngest(pool, { isHeartbeat: () => false, allowReplay: true });
    const rows = readCorpusLines<{ invariants: string[]; body_b64?: string }>('bad.jsonl');
    const now = new Date();
    for (const { body_b64 } of rows.filter(({ invariants }) => invariants.includes('escaped'))) {
      let body: unknown;
      try {
        body = JSON.parse(Buffer.from(body_b64 ?? '', 'base64').toString('utf8'));
      } catch {
        continue;
      }
      const webhook = parseWebhook(body, { receivedAt: now, cluster: 'test' });
      if (typeof webhook === 'string') continue;
      for (const alert of webhook.alerts)
        await ingest.store(
          [
            {
              alert,
              pattern: toPattern(alert, { cluster: 'test' }),
              receivedAt: now,
              traceparent: '',
              own: false,
            },
          ],
          now,
        );
    }
    expect(await findTrouble()).toEqual([]);
  });
});
