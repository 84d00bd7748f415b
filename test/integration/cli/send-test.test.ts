import { describe, expect, it } from 'vitest';
import { runCli } from '../../support/cli.ts';
import { startProviderSink } from '../../support/sinks.ts';

describe('send-test', () => {
  it('sends one message that says it is a test, and prints what the provider calls it', async () => {
    const sink = await startProviderSink('ntfy');
    const { code, stdout } = await runCli(['send-test', 'ntfy'], { env: sink.env });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'ntfy: taken, as sink1\n' });
    expect(sink.pushes).toHaveLength(1);
    expect(sink.pushes[0]?.text).toContain('This is a test. No alert fired.');
    await sink.close();
  });

  it('closes what the test opened', async () => {
    const sink = await startProviderSink('pagerduty');
    const { code, stdout } = await runCli(['send-test', 'pagerduty'], { env: sink.env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^pagerduty: taken, as ag-test-\d+; and closed again$/m);
    expect(sink.pushes.map(({ raw }) => raw['event_action'])).toEqual(['trigger', 'resolve']);
    await sink.close();
  });

  it('tries every channel, says what to do about the broken one, and no secret', async () => {
    const [good, bad] = await Promise.all([startProviderSink('gotify'), startProviderSink('slack')]);
    bad.script({ status: 404, body: 'no_service' });
    const { code, stdout, stderr } = await runCli(['send-test', '--all'], {
      env: { ...good.env, ...bad.env },
    });
    expect(code).toBe(1);
    expect(stdout).toContain('gotify: taken, as 1');
    expect(stdout).toContain('slack: not taken: slack answered 404 (no_service)');
    expect(stdout).toContain('check the SLACK_… variables, see docs/channels.md#slack');
    expect(stdout + stderr).not.toContain(bad.url);
    expect(stdout + stderr).not.toContain('sink-token');
    await Promise.all([good.close(), bad.close()]);
  });

  it('knows the channels of a routes file by their names', async () => {
    const sink = await startProviderSink('slack');
    const ROUTES = [
      'channels:',
      '  - name: ops-chat',
      '    type: slack',
      '    settings:',
      '      webhook_url: env:OPS_CHAT',
      'routes:',
      '  - channels: [ops-chat]',
    ].join('\n');
    const env = { ROUTES, OPS_CHAT: sink.env['SLACK_WEBHOOK_URL'] ?? '' };
    const { code, stdout, stderr } = await runCli(['send-test', 'ops-chat'], { env });
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'ops-chat: taken, it gives no number\n',
      stderr: '',
    });
    await sink.close();
  });

  it.each([
    [[], 'name one channel or say --all; there are: none is configured'],
    [['teams'], 'there is no channel "teams"; there are: none is configured'],
  ])('takes %j for a mistake', async (words, problem) => {
    const { code, stderr } = await runCli(['send-test', ...words]);
    expect(code).toBe(2);
    expect(stderr).toContain(problem);
  });
});
