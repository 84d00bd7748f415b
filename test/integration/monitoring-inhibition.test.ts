/** The inhibition table in a real Alertmanager: what should be muted is, and nothing beside it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INHIBITIONS } from '../../monitoring/rules/ladders.ts';
import { findAlertmanager, startAlertmanager } from '../support/alertmanager.ts';

const FOLDER = resolve(import.meta.dirname, '../../monitoring/alertmanager');
const NOWHERE = '127.0.0.1:9';
const command = findAlertmanager();

interface Listed {
  readonly labels: Readonly<Record<string, string>>;
  readonly status: { readonly state: string };
}

describe.skipIf(command === null)('inhibition', { timeout: 30_000 }, () => {
  it.each(['alertmanager.yml', 'homelab.yml'])('by %s mutes the same subject and no other', async (file) => {
    // Nothing leaves this machine: every address is one where nobody listens.
    const config = readFileSync(resolve(FOLDER, file), 'utf8')
      .replaceAll(/https?:\/\/[^/\s]+/g, `http://${NOWHERE}`)
      .replaceAll(/smtp_smarthost: \S+/g, `smtp_smarthost: ${NOWHERE}`)
      .replace('/etc/alertmanager/config', resolve(FOLDER, 'templates'));
    const alertmanager = await startAlertmanager(command ?? '', { url: '', token: '' }, config);
    const pairs = INHIBITIONS.flatMap(({ source, targets, equal }) =>
      targets.map((target) => ({ source, target, equal })),
    );
    const alerts = pairs.flatMap(({ source, target, equal }, at) => {
      const subject = (value: string): Record<string, string> =>
        Object.fromEntries(equal.map((label) => [label, `${value}-${at}`]));
      return [
        { labels: { alertname: source, case: 'source', ...subject('same') } },
        { labels: { alertname: target, case: 'muted', ...subject('same') } },
        { labels: { alertname: target, case: 'heard', ...subject('other') } },
      ];
    });
    try {
      const posted = await fetch(`${alertmanager.url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts),
      });
      expect(posted.status).toBe(200);
      const listed = (await (await fetch(`${alertmanager.url}/api/v2/alerts`)).json()) as readonly Listed[];
      expect(listed).toHaveLength(alerts.length);
      const wrong = listed.filter(
        ({ labels, status }) => (status.state === 'suppressed') !== (labels['case'] === 'muted'),
      );
      expect(wrong.map(({ labels }) => labels)).toEqual([]);
    } finally {
      await alertmanager.stop();
    }
  });
});
