import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { findAlertmanager, startAlertmanager } from '../support/alertmanager.ts';
import type { Alertmanager } from '../support/alertmanager.ts';
import { runCli } from '../support/cli.ts';
import { startTestMachine } from '../support/machine.ts';
import type { TestMachine } from '../support/machine.ts';

const command = findAlertmanager();

describe.skipIf(command === null)('test-alert', { timeout: 90_000 }, () => {
  let machine: TestMachine;
  let alertmanager: Alertmanager;
  beforeAll(async () => {
    machine = await startTestMachine();
    alertmanager = await startAlertmanager(command ?? '', { url: machine.machine.url, token: machine.token });
  });
  afterAll(async () => {
    await alertmanager.stop();
    await machine.stop();
  });

  test('goes through a real Alertmanager to the phone and names the time of each hop', async () => {
    const words = ['test-alert', '--url', machine.machine.url, '--within', '30'];
    const { code, stdout, stderr } = await runCli(words, { env: { ALERTMANAGER_URL: alertmanager.url } });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const hops = [...stdout.matchAll(/^(\w+) +(\d+\.\d\d) s/gm)];
    expect(hops.map(([, hop]) => hop)).toEqual(['posted', 'received', 'classified', 'decided', 'sent']);
    expect(stdout).toMatch(/^sent .* ntfy$/m);
    machine.sink.assertOnly(1);
    expect(machine.sink.pushes[0]?.title).toContain('AlertgestTest');
    const ended = (): Promise<object[]> =>
      machine.query(`select 1 from episodes where alertname like 'AlertgestTest%' and ended_at is not null`);
    await expect.poll(ended, { timeout: 20_000 }).toHaveLength(1);
  });

  test('says that nobody was told, and why', async () => {
    machine.sink.script({ status: 403 });
    onTestFinished(() => machine.sink.clear());
    const words = ['test-alert', '--url', machine.machine.url, '--alertmanager', alertmanager.url];
    const { code, stdout } = await runCli(words);
    expect(code).toBe(1);
    expect(stdout).toContain('not sent through ntfy');
    expect(stdout).toContain('not pushed, dead');
  });

  test('gives up when the alert never arrives', async () => {
    const elsewhere = await startAlertmanager(command ?? '', { url: 'http://127.0.0.1:9', token: 'none' });
    onTestFinished(() => elsewhere.stop());
    const words = [
      'test-alert',
      '--url',
      machine.machine.url,
      '--alertmanager',
      elsewhere.url,
      '--within',
      '3',
    ];
    const { code, stderr } = await runCli(words);
    expect(code).toBe(1);
    expect(stderr).toContain('the alert never arrived');
  });
});
