/** `alertgest decisions` against a console with a database of its own. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPool } from '../../../shared/postgres/pool.ts';
import type { Pool } from '../../../shared/postgres/pool.ts';
import { runCli } from '../../support/cli.ts';
import { CONSOLE_TOKEN, createTestConsole } from '../../support/console.ts';
import { SAMPLE_ISSUES, seedConsole } from '../../support/console-history.ts';
import { createTestDatabase } from '../../support/database.ts';

let pool: Pool;
let server: Server;
let url: string;

beforeAll(async () => {
  pool = createPool({ url: await createTestDatabase(), name: 'test', size: 2 });
  await seedConsole(
    pool,
    SAMPLE_ISSUES.map((issue) => ({ ...issue, daysAgo: issue.daysAgo.slice(0, 1) })),
  );
  const app = createTestConsole(pool);
  server = createServer((incoming, outgoing) => {
    const answer = async (): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const { method = 'GET', headers } = incoming;
      const response = await app.ask(incoming.url ?? '/', {
        method,
        headers: { authorization: headers.authorization ?? '' },
        ...(method === 'GET' ? {} : { body: Buffer.concat(chunks).toString('utf8') }),
      });
      outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
    };
    answer().catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await pool.end();
});

describe('decisions', () => {
  const env = { CONSOLE_TOKEN };

  it('writes a file that reads back as it is, twice', async () => {
    const written = await runCli(['decisions', 'export', '--url', url], { env });
    expect(written).toMatchObject({ code: 0, stderr: '' });
    expect(written.stdout).toContain('alertname: WireguardPeerSilent');
    for (let time = 0; time < 2; time++) {
      const read = await runCli(['decisions', 'import', '-', '--url', url], { env, input: written.stdout });
      expect(read).toMatchObject({ code: 0, stdout: '0 recorded, 3 in force already, 0 over by now\n' });
    }
  });

  it('says what is wrong with a file, and that a token is missing', async () => {
    const bad = await runCli(['decisions', 'import', '-', '--url', url], { env, input: 'version: 9' });
    expect(bad).toMatchObject({ code: 1, stderr: expect.stringContaining('version') });
    const closed = await runCli(['decisions', 'export', '--url', url]);
    expect(closed).toMatchObject({ code: 1, stderr: expect.stringContaining('CONSOLE_TOKEN') });
  });

  it.each([
    [['decisions'], /is missing/],
    [['decisions', 'print'], /"export" or "import"/],
    [['decisions', 'import'], /FILE is missing/],
  ])('does not take %j', async (words, problem) => {
    const { code, stderr } = await runCli(words);
    expect(code).toBe(2);
    expect(stderr).toMatch(problem);
  });
});
