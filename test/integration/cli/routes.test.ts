import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../support/cli.ts';

const examples = resolve(import.meta.dirname, '../../../docs/examples/routes');
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'routes-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('routes test', () => {
  it('shows the route, the channels and what stands in', async () => {
    const { code, stdout } = await runCli([
      'routes',
      'test',
      '--file',
      join(examples, 'homelab.yaml'),
      '--labels',
      'severity=page,namespace="db"',
      '--at',
      '2026-03-29T01:30:00Z',
    ]);
    expect(stdout.split('\n')).toEqual([
      'labels     severity="critical", namespace="db", kind="opened"',
      'at         2026-03-29T01:30:00.000Z',
      'route      business-hours (silent: outside business-hours)',
      'route      after-hours',
      'channel    sms (if it cannot be reached: opsgenie-primary)',
      '',
    ]);
    expect(code).toBe(0);
  });

  it('says that nobody would hear, why, and exits 1', async () => {
    const { code, stdout } = await runCli(
      ['routes', 'test', '--labels', 'severity=info', '--at', '2026-01-14T12:00:00Z'],
      { env: { ROUTES_FILE: join(examples, 'homelab.yaml') } },
    );
    expect(stdout).toContain('nobody     no route matches severity=info');
    expect(code).toBe(1);
  });

  it('gives the answer as JSON, with the category of the name and who hears later', async () => {
    const { code, stdout } = await runCli([
      'routes',
      'test',
      '--json',
      '--file',
      join(examples, 'company.yaml'),
      '--labels',
      'alertname=PostgreSQLDown,severity=critical',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      labels: { category: 'database' },
      channels: [
        { name: 'pager', fallback: ['ops-mail'], quiet: false },
        { name: 'critical-alerts' },
        { name: 'oncall-mail' },
        { name: 'database-alerts' },
        { name: 'database-mail' },
      ],
      escalations: [{ afterMs: 900_000, channels: ['second-pager'] }],
      why: null,
    });
  });

  it('tells every mistake of the file with its line', async () => {
    const file = join(folder, 'wrong.yaml');
    await writeFile(file, 'routes:\n  - matchers: [a]\n    channels: [nobody]\n');
    const { code, stderr } = await runCli(['routes', 'test', '--file', file]);
    expect(stderr).toContain(`${file}:2: routes[0].matchers[0] "a" is no matcher`);
    expect(code).toBe(1);
  });

  it.each([
    [['routes', 'list'], 'routes knows "test"'],
    [['routes', 'test'], 'needs --file'],
    [['routes', 'test', '--file', '/nowhere.yaml'], 'cannot be read'],
    [['routes', 'test', '--file', 'x', '--at', 'soon'], '--at takes a time'],
    [['routes', 'test', '--file', 'x', '--labels', 'a!=b'], '--labels takes name=value'],
    [['config', 'look'], 'config knows "check"'],
    [['config', 'check', '--only', 'nothing'], 'there is no function'],
  ])('%j is a usage error', async (words, message) => {
    const { code, stderr } = await runCli(words);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

describe('config check', () => {
  const env = {
    DATABASE_URL: 'postgresql://alertgest@127.0.0.1:5432/alertgest',
    RECEIVE_TOKEN: '0123456789abcdef',
    CONSOLE_TOKEN: '0123456789abcdef',
    NTFY_TOPIC: 'alerts',
  };

  it('is content with an environment that the functions would start with', async () => {
    expect(await runCli(['config', 'check'], { env })).toMatchObject({
      code: 0,
      stdout: 'usable: receive, classify, suppress-check, notify, build-digest, console\n',
    });
  });

  it('tells every problem of every function at once, never a value', async () => {
    const routes = join(folder, 'routes.yaml');
    await writeFile(
      routes,
      [
        'channels:',
        '  - { name: ops, type: slack, settings: { webhook_url: https://hooks.slack.com/services/SECRET } }',
        '  - { name: pager, type: pagerduty, settings: { routing_key: env:NOT_SET, colour: red } }',
        '  - { name: box, type: gotify, settings: { url: "ftp://example.org", token: "file:/nowhere" } }',
        'routes:',
        '  - { channels: [ops, pager, box, email] }',
      ].join('\n'),
    );
    const { code, stdout } = await runCli(['config', 'check'], {
      env: { NOTIFY_MIN_SEVERITY: 'SECRET', ROUTES_FILE: routes },
    });
    expect(code).toBe(1);
    expect(stdout).not.toContain('SECRET');
    expect(stdout).toMatch(
      /DATABASE_URL: .* \(receive, classify, suppress-check, notify, build-digest, console\)/,
    );
    expect(stdout).toMatch(/NOTIFY_MIN_SEVERITY: .*\(notify\)/);
    expect(stdout).toContain(
      'routes:2: channels[0].settings.webhook_url is a secret and is not written here',
    );
    expect(stdout).toContain('routes:3: channels[1].settings.routing_key needs the variable NOT_SET');
    expect(stdout).toContain('routes:3: channels[1].settings.colour is no setting of pagerduty');
    expect(stdout).toContain('routes:4: channels[2].settings.token needs the file /nowhere');
  });
});
