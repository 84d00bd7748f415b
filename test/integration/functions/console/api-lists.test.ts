/** Pages of lists, problems, and the description: what the API says of itself is what it does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { createApiRoutes } from '../../../../functions/console/api/routes.ts';
import { OPERATIONS, toOpenApi } from '../../../../functions/console/api/openapi.ts';
import { problemSchema } from '../../../../functions/console/api/request.ts';
import { createPool } from '../../../../shared/postgres/pool.ts';
import type { Pool } from '../../../../shared/postgres/pool.ts';
import { CONSOLE_TOKEN, createTestConsole } from '../../../support/console.ts';
import type { TestConsole } from '../../../support/console.ts';
import { SAMPLE_ISSUES, seedConsole } from '../../../support/console-history.ts';
import { createTestDatabase } from '../../../support/database.ts';

let pool: Pool;
let app: TestConsole;

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 4 });
  await seedConsole(pool);
  app = createTestConsole(pool);
});
afterAll(() => pool.end());

const BEARER = { authorization: `Bearer ${CONSOLE_TOKEN}` };

async function get(path: string): Promise<{ status: number; type: string; body: Record<string, unknown> }> {
  const response = await app.ask(path, { headers: BEARER });
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    body: (await response.json()) as Record<string, unknown>,
  };
}

describe('lists', () => {
  it.each([
    ['/api/v1/issues', 'issues', 'pattern', 3],
    ['/api/v1/notices', 'notices', 'id', 40],
    ['/api/v1/deliveries', 'deliveries', 'id', 40],
    ['/api/v1/decisions', 'decisions', 'pattern', 2],
  ])('%s gives every row once, page by page', async (path, name, key, limit) => {
    const whole = await get(`${path}?limit=1000`);
    expect(whole.body['next']).toBeNull();
    const all = (whole.body[name] as Array<Record<string, unknown>>).map((row) => row[key]);
    const seen: unknown[] = [];
    for (let cursor = ''; ;) {
      const { body } = await get(`${path}?limit=${limit}${cursor}`);
      seen.push(...(body[name] as Array<Record<string, unknown>>).map((row) => row[key]));
      if (body['next'] === null) break;
      cursor = `&cursor=${encodeURIComponent(body['next'] as string)}`;
    }
    expect(seen).toEqual(all);
    expect(seen.length).toBeGreaterThan(limit);
  });

  it.each([
    'nonsense',
    Buffer.from('[1,2,3]').toString('base64url'),
    Buffer.from('["x","y"]').toString('base64url'),
  ])('refuses the cursor %s in words', async (cursor) => {
    const { status, body } = await get(`/api/v1/issues?cursor=${cursor}`);
    expect(status).toBe(400);
    expect(body['detail']).toContain('cursor');
  });
});

describe('problems', () => {
  it.each([
    ['/api/v1/nothing', 404, 'not-found'],
    ['/api/v1/issues/v1:none', 404, 'not-found'],
    ['/api/v1/notices?state=lost', 400, 'invalid-input'],
    ['/api/v1/issues/v1%00', 404, 'not-found'],
    ['/api/v1/deliveries?notice=%00', 404, 'not-found'],
  ])('of %s say what is wrong', async (path, status, reason) => {
    const answer = await get(path);
    expect(answer).toMatchObject({ status, type: 'application/problem+json' });
    expect(problemSchema.parse(answer.body)).toMatchObject({ status, reason });
  });

  it('are the answer to those who did not sign in, too', async () => {
    const response = await app.ask('/api/v1/issues');
    expect(response.status).toBe(401);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(problemSchema.parse(await response.json()).reason).toBe('unauthorized');
  });
});

describe('the description', () => {
  const document = toOpenApi() as {
    openapi: string;
    paths: Record<string, Record<string, { operationId: string; responses: object }>>;
  };

  it('is served, is OpenAPI 3.1, and names each operation once', async () => {
    const { body } = await get('/api/v1/openapi.json');
    expect(body).toEqual(JSON.parse(JSON.stringify(document)));
    expect(document.openapi).toBe('3.1.0');
    const ids = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('getIssues');
  });

  it('has every route of the API, and no other', () => {
    const api = createApiRoutes({
      pool,
      signIn: {
        options: {} as never,
        whoIs: () => null,
        originOf: () => ({ client: '', viaTrustedProxy: false }),
        require: () => (_c, next) => next(),
      },
      log: undefined as never,
    });
    const routes = new Set(
      api.routes
        .filter(({ method, path }) => method !== 'ALL' && !path.endsWith('openapi.json'))
        .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`),
    );
    expect([...routes].sort()).toEqual(
      OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort(),
    );
  });

  it('is true of what is answered', async () => {
    const { rows } = await pool.query<{ pattern: string }>(
      `select pattern from patterns where alertname = 'WireguardPeerSilent'`,
    );
    let checked = 0;
    for (const { method, path, answers } of OPERATIONS) {
      if (method !== 'get' || path.endsWith('.yaml')) continue;
      const { status, body } = await get(path.replace('{pattern}', rows[0]?.pattern ?? ''));
      const schema: z.ZodType | undefined = answers[status]?.schema;
      expect(schema?.safeParse(body).error?.issues, path).toBeUndefined();
      checked++;
    }
    expect(checked).toBe(OPERATIONS.filter(({ method }) => method === 'get').length - 1);
  });
});

describe('decisions as a file', () => {
  const file = async (): Promise<string> =>
    (await app.ask('/api/v1/decisions.yaml', { headers: BEARER })).text();
  const put = async (
    to: TestConsole,
    text: string,
  ): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await to.ask('/api/v1/decisions.yaml', { method: 'PUT', headers: BEARER, body: text });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('change nothing where they came from', async () => {
    const text = await file();
    expect(text).toContain('WireguardPeerSilent');
    expect((await put(app, text)).body).toEqual({ recorded: 0, unchanged: 3, expired: 0 });
    expect(await file()).toBe(text);
  });

  it('make an empty database the same, once', async () => {
    const text = await file();
    const empty = createPool({ url: await createTestDatabase(), name: 'test', size: 2 });
    const other = createTestConsole(empty);
    expect((await put(other, text)).body).toEqual({ recorded: 3, unchanged: 0, expired: 0 });
    expect((await put(other, text)).body).toEqual({ recorded: 0, unchanged: 3, expired: 0 });
    expect(await (await other.ask('/api/v1/decisions.yaml', { headers: BEARER })).text()).toBe(text);
    await empty.end();
  });

  it('record what was edited and take back what says so', async () => {
    const text = await file();
    const edited = text.replace('The phone sleeps at night', 'It is a phone');
    expect((await put(app, edited)).body).toMatchObject({ recorded: 1, unchanged: 2 });
    const { rows } = await pool.query<{ pattern: string }>(
      `select pattern from patterns where alertname = 'CPUThrottlingHigh'`,
    );
    const revoke = `version: 1\ndecisions:\n  - {pattern: '${rows[0]?.pattern}', kind: revoke, alertname: CPUThrottlingHigh, severity: info}\n`;
    expect((await put(app, revoke)).body).toMatchObject({ recorded: 1 });
    expect((await put(app, revoke)).body).toMatchObject({ recorded: 0, unchanged: 1 });
  });

  it('are taken whole or not at all, and refusals name the entry', async () => {
    const before = await file();
    const entry = (more: string): string =>
      `  - {pattern: 'v1:0123456789abcdef', alertname: New, severity: critical, ${more}}\n`;
    const bad = `version: 1\ndecisions:\n${entry('kind: quiet')}${entry('kind: ignore')}`;
    const refused = await put(app, bad);
    expect(refused).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('decisions.1: a critical issue') },
    });
    for (const text of [
      '',
      '- 1',
      'version: 2\ndecisions: []',
      'a: &a [*a]',
      '{',
      `version: 1\ndecisions:\n${entry('kind: forget')}`,
    ])
      expect((await put(app, text)).status, text).toBe(400);
    expect(await file()).toBe(before);
  });

  it('leave out what is over by now', async () => {
    const over = `version: 1\ndecisions:\n  - {pattern: 'v1:0123456789abcdef', alertname: Old, severity: info, kind: ignore, until: 2001-01-01T00:00:00Z}\n`;
    expect((await put(app, over)).body).toEqual({ recorded: 0, unchanged: 0, expired: 1 });
  });
});

it('seeds every sample issue', async () => {
  expect((await get('/api/v1/issues')).body['total']).toBe(SAMPLE_ISSUES.length);
});
