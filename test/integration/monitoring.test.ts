import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { DASHBOARDS, withoutVariables } from '../../monitoring/dashboards/catalogue.ts';
import { numberPanels } from '../../monitoring/dashboards/panel.ts';
import { findMetric } from '../../monitoring/metrics.ts';
import { ruleGroups } from '../../monitoring/rules/catalogue.ts';
import { readSelectors } from '../../monitoring/rules/expression.ts';
import { toRuleFile } from '../../monitoring/rules/rendering.ts';
import { ENVIRONMENTS, readVariables } from '../../monitoring/variables.ts';
import { runTool, whyNoTool } from '../support/tools.ts';

const ROOT = resolve(import.meta.dirname, '../../monitoring');
const noPromtool = whyNoTool('promtool', '--version') !== null;
const noAmtool = whyNoTool('amtool', '--version') !== null;
const folder = mkdtempSync(join(tmpdir(), 'alertgest-monitoring-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(noPromtool)('alert rules in Prometheus', () => {
  it.each(ENVIRONMENTS)('are valid with the thresholds of %s', (environment) => {
    const files = ruleGroups(readVariables(environment)).map((group) => {
      const file = join(folder, `${environment}-${group.file}.yaml`);
      writeFileSync(file, toRuleFile(group));
      return file;
    });
    const { status, stdout, stderr } = runTool('promtool', ['check', 'rules', ...files]);
    expect(status, stdout + stderr).toBe(0);
  });

  it.each(readdirSync(join(ROOT, 'prometheus/tests')))(
    'fire and keep quiet as proved in %s',
    (file) => {
      const { status, stdout, stderr } = runTool(
        'promtool',
        ['test', 'rules', file],
        join(ROOT, 'prometheus/tests'),
      );
      expect(status, stdout + stderr).toBe(0);
    },
    120_000,
  );

  it('are held by their proofs: a changed threshold breaks them', () => {
    const group = ruleGroups(readVariables('homelab', { ALERT_QUEUE_MESSAGES: '20000' })).find(
      ({ file }) => file === 'message-queue',
    );
    if (group === undefined) throw new Error('the group is missing');
    writeFileSync(join(folder, 'message-queue.yaml'), toRuleFile(group));
    const proof = readFileSync(join(ROOT, 'prometheus/tests/message-queue.yaml'), 'utf8');
    writeFileSync(
      join(folder, 'proof.yaml'),
      proof.replace('../rules/message-queue.yaml', 'message-queue.yaml'),
    );
    const { status, stdout, stderr } = runTool('promtool', ['test', 'rules', 'proof.yaml'], folder);
    expect(status).not.toBe(0);
    expect(stdout + stderr).toContain('RabbitMQHighQueue');
  });
});

describe.skipIf(noPromtool)('dashboards in Prometheus', () => {
  const check = (exprs: readonly string[]): ReturnType<typeof runTool> => {
    const rules = exprs.map((expr, at) => ({ record: `panel:query:number${at}`, expr }));
    const file = join(folder, 'panels.yaml');
    writeFileSync(file, stringify({ groups: [{ name: 'panels', rules }] }, { lineWidth: 0 }));
    return runTool('promtool', ['check', 'rules', file]);
  };

  it('ask only what Prometheus understands', () => {
    const exprs = DASHBOARDS.flatMap((dashboard) => numberPanels(dashboard))
      .filter(({ panel }) => panel.kind !== 'logs')
      .flatMap(({ panel }) => panel.queries.map(({ expr }) => withoutVariables(expr)));
    expect(exprs.length).toBeGreaterThan(150);
    const { status, stdout, stderr } = check(exprs);
    expect(status, stdout + stderr).toBe(0);
  });

  it('and runbooks too', () => {
    const runbooks = resolve(ROOT, '../docs/runbooks');
    const exprs = readdirSync(runbooks)
      .map((name) => readFileSync(join(runbooks, name), 'utf8'))
      .flatMap((page) => Array.from(page.matchAll(/```promql\n([\s\S]*?)```/g), ([, block = '']) => block))
      .flatMap((block) => block.split('\n').filter((line) => line !== ''));
    expect(exprs.length).toBeGreaterThan(40);
    const { status, stdout, stderr } = check(exprs);
    expect(status, stdout + stderr).toBe(0);
    const unknown = exprs.flatMap((expr) =>
      readSelectors(expr).filter(({ series }) => findMetric(series) === undefined),
    );
    expect(unknown).toEqual([]);
  });

  it('would be found out by this check', () => {
    expect(check(['sum by (x) (rate(up[5m])']).status).not.toBe(0);
  });
});

describe.skipIf(noAmtool)('Alertmanager', () => {
  /** The cluster's path of the templates, replaced by theirs here. */
  const place = (file: string): string => {
    const text = readFileSync(join(ROOT, 'alertmanager', file), 'utf8');
    const path = join(folder, file);
    writeFileSync(
      path,
      text.replace('/etc/alertmanager/config/*.tmpl', join(ROOT, 'alertmanager/templates/*.tmpl')),
    );
    return path;
  };
  const files = { company: '', homelab: '' };
  beforeAll(() =>
    Object.assign(files, { company: place('alertmanager.yml'), homelab: place('homelab.yml') }),
  );

  it.each(['company', 'homelab'] as const)('accepts the configuration of %s', (environment) => {
    const { status, stdout, stderr } = runTool('amtool', ['check-config', files[environment]]);
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toContain('1 templates');
  });

  // Time intervals are not part of a route test: Opsgenie and the text message both match, one of them is muted.
  it.each([
    ['company', 'alertgest,nobody', 'alertname=Watchdog severity=none category=meta'],
    ['company', 'alertgest,critical,database', 'alertname=PostgresDown severity=critical category=database'],
    ['company', 'alertgest,database', 'alertname=RedisHighMemory severity=warning category=database'],
    [
      'company',
      'alertgest,critical,product',
      'alertname=PaymentFailureRate severity=critical category=business',
    ],
    ['company', 'alertgest,product', 'alertname=HighUserChurnRate severity=warning category=business'],
    [
      'company',
      'alertgest,critical,storage-opsgenie,storage-sms,infrastructure',
      'alertname=NASPoolDegraded severity=critical category=storage',
    ],
    ['company', 'alertgest,infrastructure', 'alertname=PodCrashLooping severity=warning category=workload'],
    ['company', 'alertgest,critical', 'alertname=ServiceDown severity=critical category=application'],
    ['company', 'alertgest,warning', 'alertname=HighLatency severity=warning category=application'],
    ['company', 'alertgest,ops-mail', 'alertname=NodeCPUPersistentlyHigh severity=info category=node'],
    [
      'company',
      'alertgest,critical,infrastructure',
      'alertname=AlertgestNoticesStuck severity=critical category=meta',
    ],
    ['company', 'alertgest', 'alertname=SomethingElse'],
    ['homelab', 'alertgest,nobody', 'alertname=Watchdog severity=none category=meta'],
    ['homelab', 'alertgest,direct', 'alertname=NodeNotReady severity=critical category=node'],
    ['homelab', 'alertgest,direct', 'alertname=AlertgestDeliveriesDead severity=warning category=meta'],
    ['homelab', 'alertgest', 'alertname=PodCrashLooping severity=warning category=workload'],
    ['homelab', 'alertgest', 'alertname=ExporterDown severity=warning category=meta'],
  ] as const)('in %s goes to %s with %s', (environment, receivers, labels) => {
    const { status, stdout, stderr } = runTool('amtool', [
      'config',
      'routes',
      'test',
      `--config.file=${files[environment]}`,
      `--verify.receivers=${receivers}`,
      ...labels.split(' '),
    ]);
    expect(status, stdout + stderr).toBe(0);
  });

  it('would be found out by these route tests', () => {
    const { status } = runTool('amtool', [
      'config',
      'routes',
      'test',
      `--config.file=${files.homelab}`,
      '--verify.receivers=alertgest',
      'severity=critical',
      'category=node',
    ]);
    expect(status).not.toBe(0);
  });

  it('writes messages that people can read', () => {
    const alert = {
      status: 'firing',
      labels: { alertname: 'PostgresDown', severity: 'critical', instance: 'postgres:5432' },
      annotations: {
        summary: 'PostgreSQL postgres:5432 is down',
        description: 'Nobody gets an answer from postgres:5432.',
        remediation: 'Is the pod running?',
        runbook_url: 'https://example.org/PostgresDown.md',
      },
      startsAt: '2026-01-05T03:04:05Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'https://example.org',
      fingerprint: '0',
    };
    writeFileSync(
      join(folder, 'data.json'),
      JSON.stringify({
        receiver: 'x',
        status: 'firing',
        alerts: [alert],
        groupLabels: { alertname: 'PostgresDown' },
        commonLabels: alert.labels,
        commonAnnotations: alert.annotations,
        externalURL: 'https://example.org',
      }),
    );
    const render = (name: string): string => {
      const { status, stdout, stderr } = runTool('amtool', [
        'template',
        'render',
        `--template.glob=${join(ROOT, 'alertmanager/templates/*.tmpl')}`,
        `--template.data=${join(folder, 'data.json')}`,
        `--template.text={{ template "${name}" . }}`,
      ]);
      expect(status, stderr).toBe(0);
      return stdout.trim();
    };
    expect(render('alertgest.title')).toBe('[critical] PostgreSQL postgres:5432 is down');
    expect(render('alertgest.slack.color')).toBe('danger');
    expect(render('alertgest.slack.text')).toContain('*First:* Is the pod running?');
    expect(render('alertgest.sms')).toBe('PostgresDown postgres:5432: PostgreSQL postgres:5432 is down');
    expect(render('alertgest.mail.text')).toContain('Runbook: https://example.org/PostgresDown.md');
    expect(render('alertgest.pagerduty.severity')).toBe('critical');
  });
});
