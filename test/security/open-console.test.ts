/** A console that lets anyone in, as on one machine: pages of other sites must not use a visitor's browser to get at it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isOwnHost } from '../../functions/console/form-guard.ts';
import { createPool } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import { createTestConsole } from '../support/console.ts';
import type { TestConsole } from '../support/console.ts';
import { createTestDatabase } from '../support/database.ts';

let pool: Pool;
let site: TestConsole;
beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'open', size: 2 });
  site = createTestConsole(pool, {
    CONSOLE_ALLOW_UNAUTHENTICATED: 'true',
    CONSOLE_URL: 'https://alerts.example.org:8443',
  });
});
afterAll(() => pool.end());

describe('an open console', () => {
  it.each([
    '127.0.0.1:8080',
    'localhost:8080',
    '[::1]:8080',
    '192.168.1.20',
    'nas',
    'nas.local:8080',
    'console.alertgest.svc.cluster.local',
    'alerts.example.org:8443',
  ])('answers under %s', async (host) => {
    for (const path of ['/api/v1/issues', '/issues'])
      expect((await site.ask(path, { headers: { host } })).status).toBe(200);
  });

  it.each([
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'alerts.example.org',
    '..',
    '',
  ])('does not answer under %j, which another site may point here', async (host) => {
    for (const path of ['/api/v1/issues', '/issues', '/'])
      expect((await site.ask(path, { headers: { host } })).status).toBe(403);
  });

  it('takes nothing that a page of another site posts', async () => {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ]) {
      const answer = await site.ask('/api/v1/issues/v1:x/decisions', {
        method: 'POST',
        headers: { host: 'localhost', ...headers },
        body: '{"kind":"ignore"}',
      });
      expect(answer.status).toBe(403);
    }
  });

  it('asks a closed console for no such thing: its token does not come by itself', () => {
    expect(isOwnHost(new Headers(), null)).toBe(true);
    expect(isOwnHost(new Headers({ host: 'alerts.example.org' }), 'alerts.example.org')).toBe(true);
  });
});
