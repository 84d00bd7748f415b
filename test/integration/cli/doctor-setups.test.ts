/** The ten broken set-ups that doctor finds, and what it says to do about each. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { runCli } from '../../support/cli.ts';
import { createTestDatabase } from '../../support/database.ts';
import { startKubernetesApi } from '../../support/kubernetes-api.ts';
import { startModelStub } from '../../support/model-stub.ts';
import { startReceiver } from '../../support/receiver.ts';
import type { Receiver } from '../../support/receiver.ts';

const databaseUrl = await createTestDatabase();
const HERE = { KUBECONFIG: '/nonexistent' };
/** Nobody listens on the discard port of loopback. */
const NOWHERE = 'http://127.0.0.1:9';

let database: pg.Client;
beforeAll(async () => {
  database = new pg.Client({ connectionString: databaseUrl, options: '-c search_path=alertgest' });
  await database.connect();
});
afterAll(() => database.end());
beforeEach(async () => {
  await database.query('truncate patterns, episodes, incidents, notices, deliveries cascade');
});

/** What doctor says of one part: the line of its verdict and the line below it. */
async function diagnose(
  name: string,
  env: Readonly<Record<string, string>>,
  words: readonly string[] = [],
): Promise<{ verdict: string; fix: string; code: number | null }> {
  const { stdout, stderr, code } = await runCli(['doctor', ...words], { env: { ...HERE, ...env } });
  expect(stderr).toBe('');
  const lines = stdout.split('\n');
  const index = lines.findIndex((line) => new RegExp(`^\\S+ +${name} {2}`).test(line));
  return { verdict: lines[index] ?? '', fix: lines[index + 1] ?? '', code };
}

describe('doctor', { timeout: 60_000 }, () => {
  describe('with a receive', () => {
    let receiver: Receiver;
    beforeAll(async () => {
      receiver = await startReceiver();
    });
    afterAll(() => receiver.stop());

    it('finds a wrong token', async () => {
      const at = ['--receive', new URL(receiver.url).origin];
      const right = await diagnose('Token', { RECEIVE_TOKEN: receiver.token }, at);
      expect(right.verdict).toMatch(/^ok .* takes it/);
      const wrong = await diagnose('Token', { RECEIVE_TOKEN: 'another-token-of-16' }, at);
      expect(wrong).toMatchObject({ code: 1 });
      expect(wrong.verdict).toMatch(/^FAIL .* refuses it/);
      expect(wrong.fix).toContain('http_config.authorization');
      expect(await receiver.query('select 1 from episodes')).toEqual([]);
    });
  });

  it('finds a sender whose token was refused', async () => {
    await addEpisodes(1, {
      alertname: 'AlertgestRejected',
      own: true,
      labels: { alertname: 'AlertgestRejected', reason: 'unauthorized' },
    });
    const { verdict, fix } = await diagnose('Senders', { DATABASE_URL: databaseUrl });
    expect(verdict).toMatch(/^warn .* wrong token/);
    expect(fix).toContain('RECEIVE_TOKEN');
  });

  it('finds the namespace matcher in what was received', async () => {
    await addEpisodes(25, { namespace: 'monitoring' });
    const { verdict, fix } = await diagnose('Namespaces', { DATABASE_URL: databaseUrl });
    expect(verdict).toMatch(/^warn .* all 25 alerts .* namespace monitoring/);
    expect(fix).toContain('alertmanagerConfigMatcherStrategy');
    await addEpisodes(1, { namespace: null });
    expect((await diagnose('Namespaces', { DATABASE_URL: databaseUrl })).verdict).toBe('');
  });

  it('finds the namespace matcher in Alertmanager’s routes, and a clock that is off', async () => {
    const narrow = `
route:
  receiver: default
  routes:
    - receiver: monitoring/alertgest/webhook
      matchers: [namespace="monitoring"]
      continue: true
receivers:
  - name: default
  - name: monitoring/alertgest/webhook
    webhook_configs: [{ url: <secret> }]
`;
    const url = await serve((request, response) => {
      const config = request.url?.startsWith('/wide') ? narrow.replace(/ +matchers.*\n/, '') : narrow;
      response
        .writeHead(200, {
          'content-type': 'application/json',
          date: new Date(Date.now() - 7_200_000).toUTCString(),
        })
        .end(JSON.stringify({ config: { original: config } }));
    });
    const bad = await diagnose('Alertmanager', { ALERTMANAGER_URL: url });
    expect(bad.verdict).toMatch(/^FAIL .* only the alerts of one namespace/);
    expect(bad.fix).toContain('alertmanagerConfigMatcherStrategy');
    expect((await diagnose('Alertmanager', { ALERTMANAGER_URL: `${url}/wide` })).verdict).toMatch(/^ok/);
    const clock = await diagnose('Alertmanager clock', { ALERTMANAGER_URL: url });
    expect(clock.verdict).toMatch(/^warn .* 2 h.* behind/);
    expect(clock.fix).toContain('ntp');
  });

  it('finds a clock that is not the database’s', async () => {
    const ahead = `const now = Date.now; Date.now = () => now() + 5_400_000`;
    const { verdict, fix } = await diagnose('Clock', {
      DATABASE_URL: databaseUrl,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(ahead)}`,
    });
    expect(verdict).toMatch(/^warn .* the database is 1 h.* behind this machine/);
    expect(fix).toContain('ntp');
    expect((await diagnose('Clock', { DATABASE_URL: databaseUrl })).verdict).toMatch(/^ok/);
  });

  it('finds a model that is not there', async () => {
    const model = await startModelStub(['mistral:7b']);
    onTestFinished(() => model.close());
    const { verdict, fix } = await diagnose('Ollama', { OLLAMA_BASE_URL: model.url });
    expect(verdict).toMatch(/^warn .* lacks llama3.1:8b/);
    expect(fix).toContain('ollama pull llama3.1:8b');
  });

  it('finds a base of links that nobody reaches, is something else, or is reached from here alone', async () => {
    const unreachable = await diagnose('Links', { CONSOLE_URL: NOWHERE });
    expect(unreachable).toMatchObject({ code: 1 });
    expect(unreachable.verdict).toMatch(/^FAIL .* cannot be reached/);
    expect(unreachable.fix).toContain('every link in a message');
    const other = await serve((_, response) => response.end('hello'));
    expect((await diagnose('Links', { CONSOLE_URL: other })).verdict).toMatch(/^FAIL .* not the console/);
    const local = await serve((_, response) => response.end('{"status":"ok"}'));
    expect((await diagnose('Links', { CONSOLE_URL: local })).verdict).toMatch(/^warn .* a phone cannot/);
  });

  it('finds a migration that did not run', async () => {
    await database.query(`create table kept as select * from migrations order by name desc limit 1`);
    await database.query(`delete from migrations where name in (select name from kept)`);
    onTestFinished(async () => {
      await database.query('insert into migrations select * from kept');
      await database.query('drop table kept');
    });
    const { verdict, fix, code } = await diagnose('Schema', { DATABASE_URL: databaseUrl });
    expect(code).toBe(1);
    expect(verdict).toMatch(/^FAIL .* 1 of \d+ migrations did not run/);
    expect(fix).toContain('migrate');
  });

  it.skipIf(inject('redisUrl') === null)(
    'finds copies of decisions that the database does not know',
    async () => {
      const { Redis } = await import('ioredis');
      const url = `${inject('redisUrl') ?? ''}/7`;
      const redis = new Redis(url);
      onTestFinished(async () => {
        await redis.flushdb();
        redis.disconnect();
      });
      await addEpisodes(1, {});
      await database.query(`update patterns set generation = 2 where pattern = 'v1:Test'`);
      const env = { DATABASE_URL: databaseUrl, REDIS_URL: url };
      await redis.set('ag:decision:v1:Test', JSON.stringify({ generation: 1, decision: null }));
      expect((await diagnose('Copies', env)).verdict).toMatch(/^ok .* 1 of 1 .* stale and ignored/);
      await redis.set('ag:decision:v1:Test', JSON.stringify({ generation: 9, decision: null }));
      const { verdict, fix, code } = await diagnose('Copies', env);
      expect(code).toBe(1);
      expect(verdict).toMatch(/^FAIL .* 1 of 1 decisions in Redis are newer/);
      expect(fix).toContain('ag:decision:*');
    },
  );

  it('finds a broker without dead letters', async () => {
    const sink = { ref: { kind: 'Service', name: 'receive' } };
    const trigger = (name: string, delivery?: object) => ({
      metadata: { name, namespace: 'alertgest' },
      spec: { broker: 'default', delivery },
    });
    const broker = { metadata: { name: 'default', namespace: 'alertgest' }, spec: {} };
    const bare = await startKubernetesApi({
      brokers: [broker],
      triggers: [trigger('classify', { deadLetterSink: sink }), trigger('notify')],
    });
    const whole = await startKubernetesApi({
      brokers: [{ ...broker, spec: { delivery: { deadLetterSink: sink } } }],
      triggers: [trigger('classify'), trigger('notify')],
    });
    onTestFinished(async () => {
      await bare.close();
      await whole.close();
    });
    const { verdict, fix } = await diagnose('Dead letters', { KUBECONFIG: bare.kubeconfig });
    expect(verdict).toMatch(/^warn .* none for default, notify/);
    expect(fix).toContain('/dead-letters');
    expect((await diagnose('Dead letters', { KUBECONFIG: whole.kubeconfig })).verdict).toMatch(/^ok/);
  });

  it.each([
    ['gotify', 401, { GOTIFY_TOKEN: 'wrong' }, 'GOTIFY_URL'],
    ['ntfy', 401, { NTFY_TOPIC: 'alerts', NTFY_TOKEN: 'wrong' }, 'NTFY_URL'],
    ['pushover', 400, { PUSHOVER_TOKEN: 'a'.repeat(30), PUSHOVER_USER: 'u'.repeat(30) }, 'PUSHOVER_URL'],
  ])('finds a wrong secret of %s without sending anything', async (type, status, secrets, address) => {
    const calls: string[] = [];
    const url = await serve((request, response) => {
      calls.push(`${request.method} ${request.url}`);
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"status":0}');
    });
    const { verdict, fix, code } = await diagnose(`Channel ${type}`, { ...secrets, [address]: url });
    expect(code).toBe(1);
    expect(verdict).toMatch(/^FAIL .* does not take the channel's secret/);
    expect(fix).toContain(`send-test ${type}`);
    expect(calls).toHaveLength(1);
  });

  it('finds a channel whose deliveries are refused', async () => {
    await addEpisodes(1, {});
    await database.query(
      `insert into incidents (id, pattern, opened_at, open_episodes, episodes, grown_to) values ('ag-1', 'v1:Test', now(), 1, 1, 1)`,
    );
    await database.query(
      `insert into notices (id, incident, pattern, kind, status, open_episodes, traceparent, received_at)
       values ('ag-1.opened', 'ag-1', 'v1:Test', 'opened', 'dead', 1, '', now())`,
    );
    await database.query(
      `insert into deliveries (notice, channel, status, last_error) values ('ag-1.opened', 'teams', 'dead', 'teams answered 403')`,
    );
    const { verdict, fix } = await diagnose('Deliveries teams', { DATABASE_URL: databaseUrl });
    expect(verdict).toMatch(/^FAIL .* teams answered 403/);
    expect(fix).toContain('send-test teams');
  });

  it('finds a Postgres that has hardly a connection left', async () => {
    const url = new URL(databaseUrl);
    const name = url.pathname.slice(1);
    await database.query(`alter database ${name} connection limit 8`);
    const others = Array.from({ length: 7 }, () => new pg.Client({ connectionString: databaseUrl }));
    await Promise.all(others.map((client) => client.connect()));
    onTestFinished(async () => {
      await Promise.all(others.map((client) => client.end()));
      await database.query(`alter database ${name} connection limit -1`);
    });
    const { verdict, fix } = await diagnose('Connections', { DATABASE_URL: databaseUrl });
    expect(verdict).toMatch(/^warn .* of the 8 that the database allows: nearly full/);
    expect(fix).toContain('DATABASE_POOL_SIZE');
  });
});

async function addEpisodes(
  count: number,
  {
    alertname = 'Test',
    namespace = 'test',
    own = false,
    labels = {},
  }: { alertname?: string; namespace?: string | null; own?: boolean; labels?: object },
): Promise<void> {
  await database.query(
    `insert into patterns (pattern, alertname, severity, title, identity, kept, dropped, heartbeat, own, first_seen, last_seen)
     values ($1, $2, 'warning', '', '{}', '{}', '{}', false, $3, now(), now()) on conflict do nothing`,
    [`v1:${alertname}`, alertname, own],
  );
  await database.query(
    `insert into episodes (key, pattern, alertname, severity, namespace, own, labels, annotations, generator_url, flags, starts_at, received_at, last_seen)
     select gen_random_uuid()::text, $1, $2, 'warning', $3, $4, $5, '{}', '', '{}', now(), now(), now() from generate_series(1, $6)`,
    [`v1:${alertname}`, alertname, namespace, own, labels, count],
  );
}

async function serve(listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
