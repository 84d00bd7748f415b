import { describe, expect, it } from 'vitest';
import { startRedis } from '../../../eventing/local/redis.ts';
import { runCli } from '../../support/cli.ts';
import { createTestDatabase } from '../../support/database.ts';

const databaseUrl = await createTestDatabase();
/** Nobody listens on the discard port of loopback. */
const NOWHERE = '127.0.0.1:9';

describe('doctor', { timeout: 60_000 }, () => {
  it('takes what is not configured for no error', async () => {
    const { code, stdout } = await runCli(['doctor'], { env: { KUBECONFIG: '/nonexistent' } });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok +Node/);
    expect(stdout).toMatch(/^- +Postgres +DATABASE_URL is not set/m);
    expect(stdout).toMatch(/^- +Channels +none is configured/m);
  });

  it('sees stores that are there', async () => {
    // The one that all files share holds copies of other databases, which doctor finds.
    const redis = await startRedis({ install: false, say: () => undefined });
    const redisUrl = redis?.url ?? null;
    const { code, stdout } = await runCli(['doctor'], {
      env: { DATABASE_URL: databaseUrl, ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }) },
    });
    await redis?.stop();
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^ok +Postgres .* version \d+/m);
    expect(stdout).toMatch(/^ok +Schema +up to date/m);
    expect(stdout).toMatch(redisUrl === null ? /^- +Redis/m : /^ok +Redis/m);
  });

  it('says what is missing, how to fix it, and no secret', async () => {
    const { code, stdout, stderr } = await runCli(['doctor', '--url', `http://${NOWHERE}`], {
      env: {
        DATABASE_URL: `postgresql://user:hidden@${NOWHERE}/x`,
        REDIS_URL: `redis://:hidden@${NOWHERE}`,
        K_SINK: `http://${NOWHERE}/hidden`,
        WEBHOOK_URL: `http://${NOWHERE}/hidden`,
        WEBHOOK_TOKEN: 'hidden',
        OLLAMA_BASE_URL: `http://${NOWHERE}`,
      },
    });
    expect(code).toBe(1);
    for (const name of ['Postgres', 'Broker', 'Console', 'Channel webhook'])
      expect(stdout).toMatch(new RegExp(`^FAIL +${name}`, 'm'));
    expect(stdout).toMatch(/^warn +Redis/m);
    expect(stdout).toMatch(/^warn +Ollama/m);
    expect(stdout).toContain('4 needed parts are missing');
    expect(stdout + stderr).not.toContain('hidden');
  });

  it('finds a schema that is not there, and migrate makes it', async () => {
    const url = new URL(databaseUrl);
    url.pathname = '/postgres';
    const { Client } = await import('pg');
    const client = new Client({ connectionString: url.href });
    await client.connect();
    const name = `doctor_${process.pid}_${Date.now()}`;
    await client.query(`create database ${name}`);
    try {
      url.pathname = `/${name}`;
      const env = { DATABASE_URL: url.href };
      const before = await runCli(['doctor'], { env });
      expect(before.code).toBe(1);
      expect(before.stdout).toMatch(/^FAIL +Schema/m);
      expect((await runCli(['migrate'], { env })).stdout).toMatch(/^Ran 0001/);
      expect((await runCli(['migrate'], { env })).stdout).toBe('The schema is up to date.\n');
      expect((await runCli(['doctor'], { env })).code).toBe(0);
    } finally {
      await client.query(`drop database ${name} with (force)`);
      await client.end();
    }
  });
});
